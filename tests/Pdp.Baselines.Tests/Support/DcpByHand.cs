using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests.Support;

/// <summary>DCP on a <see cref="ResidualNet"/> in evaluation mode: gradients are autograd's, steps and choices are written out.</summary>
internal sealed class DcpByHand : IDisposable
{
    private readonly ResidualNet _dense = new(type: ScalarType.Float64);
    private readonly DcpOptions _options;
    private readonly List<(Parameter[] Readers, List<int> Kept)> _done = [];
    private int _batch;

    public DcpByHand(DcpOptions options)
    {
        _options = options;
        Model.eval();
        _dense.eval();
    }

    public ResidualNet Model { get; } = new(type: ScalarType.Float64);

    /// <summary>Trains by the final loss, and by an additional one on the output of bn3 if there is one.</summary>
    public void FineTune(AuxiliaryByHand? auxiliary = null)
    {
        var optimizer = new NesterovByHand([.. Model.parameters(), .. auxiliary?.Parameters ?? []], _options);
        for (var step = 0; step < _options.FineTuneSteps; step++)
        {
            foreach (var parameter in Model.parameters().Concat(auxiliary?.Parameters ?? []))
                parameter.grad = null;
            var (features, labels) = (Features(Model, _batch), LabelsOf(_batch));
            _batch++;
            var loss = functional.cross_entropy(features.Last, labels);
            (auxiliary is null ? loss : loss + auxiliary.Of(features.Normed, labels, isTraining: true)).backward();
            optimizer.Step();
            foreach (var (readers, kept) in _done)
                Silence(readers, kept);
        }
    }

    /// <summary>Adds the channel with the largest gradient, then updates the weights that read the chosen ones, again and again.</summary>
    /// <param name="readers">The weights <c>[out, in, …]</c> that read the channels.</param>
    /// <param name="keep">The number of channels.</param>
    /// <param name="auxiliary">The loss in place of the final one, if there is one.</param>
    /// <returns>The channels, in rising order.</returns>
    public int[] Choose(Parameter[] readers, int keep, AuxiliaryByHand? auxiliary = null)
    {
        double[][] trained = [.. readers.Select(reader => reader.Values())];
        var (optimizer, chosen) = (new NesterovByHand(readers, _options), new List<int>());
        Silence(readers, chosen);
        while (chosen.Count < keep)
        {
            Backward(readers, _options.ScoreBatches, auxiliary);
            var norms = readers.Select(Norms).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);
            var best = norms.Index().Where(norm => !chosen.Contains(norm.Index)).MaxBy(norm => norm.Item).Index;
            chosen.Add(best);
            foreach (var (reader, values) in readers.Zip(trained))
                Change(reader, reader, (value, i) => InputOf(reader, i) == best ? values[i] : value);
            for (var step = 0; step < _options.UpdateSteps; step++)
            {
                Backward(readers, batches: 1, auxiliary);
                foreach (var reader in readers)
                    Change(reader.grad!, reader, (value, i) => chosen.Contains(InputOf(reader, i)) ? value : 0);
                optimizer.Step();
            }
        }

        _done.Add((readers, chosen));
        return [.. chosen.Order()];
    }

    public void Dispose()
    {
        Model.Dispose();
        _dense.Dispose();
    }

    /// <summary>L = L_M + λ·L_S, summed over the next batches.</summary>
    private void Backward(Parameter[] readers, int batches, AuxiliaryByHand? auxiliary)
    {
        foreach (var reader in readers)
            reader.grad = null;
        for (var batch = 0; batch < batches; batch++, _batch++)
        {
            var (own, target, labels) = (Features(Model, _batch), Features(_dense, _batch), LabelsOf(_batch));
            var discrimination = auxiliary?.Of(own.Normed, labels, isTraining: false) ?? functional.cross_entropy(own.Last, labels);
            var loss = discrimination * _options.LossWeight;
            if (readers.Contains(Model.conv3.weight))
                loss += (own.Third - target.Third).pow(2).mean() / 2;
            else
                loss += ((own.Second - target.Second).pow(2).mean() / 2) + ((own.Last - target.Last).pow(2).mean() / 2);
            loss.backward();
        }
    }

    private static Tensor LabelsOf(int batch) => TestModels.Batch(batch, 4).Labels;

    /// <summary>The outputs of conv2, conv3, bn3 and the classifier.</summary>
    private static (Tensor Second, Tensor Third, Tensor Normed, Tensor Last) Features(ResidualNet net, int batch)
    {
        var x = functional.relu(net.bn1.call(net.conv1.call(ResidualNet.Batch(batch, type: ScalarType.Float64))));
        var second = net.conv2.call(x);
        var third = net.conv3.call(functional.relu(net.bn2.call(second)));
        var normed = net.bn3.call(third);
        return (second, third, normed, net.fc.call(functional.relu(normed + x).mean([2, 3])));
    }

    /// <summary>Writes zeros for the inputs that are not kept.</summary>
    private static void Silence(Parameter[] readers, List<int> kept)
    {
        foreach (var reader in readers)
            Change(reader, reader, (value, i) => kept.Contains(InputOf(reader, i)) ? value : 0);
    }

    private static void Change(Tensor values, Parameter reader, Func<double, int, double> change) =>
        Tensors.Fill(values, [.. values.Values().Select(change)]);

    /// <summary>The input that a weight of <c>[out, in, …]</c> reads, by its place.</summary>
    private static int InputOf(Parameter reader, int place) =>
        place / ((int)reader.numel() / (int)(reader.shape[0] * reader.shape[1])) % (int)reader.shape[1];

    private static double[] Norms(Parameter reader)
    {
        var squares = new double[reader.shape[1]];
        foreach (var (i, value) in reader.grad!.Values().Index())
            squares[InputOf(reader, i)] += value * value;
        return [.. squares.Select(Math.Sqrt)];
    }
}
