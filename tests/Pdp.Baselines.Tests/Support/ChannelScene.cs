using Pdp.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>A <see cref="ResidualNet"/> under a pruner of channels.</summary>
internal sealed class ChannelScene : IDisposable
{
    /// <summary>Attaches a method, made for the model and its map, to half of each group's channels over ten epochs.</summary>
    public ChannelScene(
        Func<ChannelScene, IPruningMethod> method,
        Func<ChannelScene, PdpOptions, PdpOptions>? change = null,
        ScalarType type = ScalarType.Float32)
    {
        Model = new ResidualNet(type: type);
        Example = ResidualNet.Batch(type: type);
        Map = ChannelMap.Find(Model, Example);
        var options = new PdpOptions
        {
            Method = method(this),
            Strategy = new PerChannel(),
            Channels = Map,
            Sparsity = 0.5,
            Allocation = new UniformSparsity(),
            Epochs = 10,
        };
        Pruner = new(Model, change?.Invoke(this, options) ?? options);
    }

    public ResidualNet Model { get; }

    public Tensor Example { get; }

    public ChannelMap Map { get; }

    public PdpPruner Pruner { get; }

    /// <summary>The method of a name.</summary>
    public IPruningMethod Make(string name) => name switch
    {
        "NISP" => new Nisp(Model, Map, Example),
        "SCP" => new Scp(Model, Map),
        "DCP" => new Dcp(Model, Map, Forward, new() { Losses = ["bn2"], FineTuneSteps = 2, UpdateSteps = 1 }),
        "DCP-score" => new DcpOneShot(Model, Map, Backward),
        "MVP" => new MovementPruning(),
        _ => new Gmp(),
    };

    /// <summary>Forward and backward over two batches, as a user of <see cref="DcpOneShot"/> writes it.</summary>
    public void Backward()
    {
        for (var batch = 0; batch < 2; batch++)
        {
            using var scope = NewDisposeScope();
            Loss(batch).backward();
        }
    }

    /// <summary>A batch by its number, as a user of <see cref="Dcp"/> writes it.</summary>
    public (Tensor Outputs, Tensor Labels) Forward(int batch) =>
        (Model.call(ResidualNet.Batch(batch, type: Example.dtype)), TestModels.Batch(batch, 4).Labels);

    public Tensor Loss(int batch)
    {
        using var scope = NewDisposeScope();
        var (_, labels) = TestModels.Batch(batch, 4);
        return nn.functional.cross_entropy(Model.call(ResidualNet.Batch(batch, type: Example.dtype)), labels).MoveToOuterDisposeScope();
    }

    /// <summary>A masked step at an epoch.</summary>
    public void Train(double epoch, int batch = 0)
    {
        using var scope = NewDisposeScope();
        Pruner.BeginEpoch(epoch);
        using (Pruner.Mask())
            Loss(batch).backward();
        TestModels.Step(Model, 0.05);
        Pruner.StepLearned();
    }

    /// <summary>Ten epochs of two steps.</summary>
    public ChannelScene Trained()
    {
        for (var step = 0; step < 20; step++)
            Train(step / 2.0, step);
        return this;
    }

    /// <summary>The output in evaluation mode.</summary>
    public double[] Output()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Model.eval();
        var output = Model.call(Example).Values();
        Model.train();
        return output;
    }

    /// <summary>The output inside a scope.</summary>
    public double[] MaskedOutput()
    {
        using (Pruner.Mask())
            return Output();
    }

    /// <summary>The norms' channels that a scope silences, by the norm's name.</summary>
    public Dictionary<string, bool[]> Removed()
    {
        using var _ = no_grad();
        using (Pruner.Mask())
            return Model.named_parameters().Where(
                pair => pair.name.StartsWith("bn", StringComparison.Ordinal) && pair.name.EndsWith("weight", StringComparison.Ordinal))
                .ToDictionary(pair => pair.name, pair => pair.parameter.Values().Select(value => value == 0).ToArray());
    }

    /// <summary>Everything that a model is: parameters, buffers, gradients and modes.</summary>
    public static string[] Snapshot(nn.Module model) =>
    [
        .. model.state_dict().Select(pair => $"{pair.Key} {Convert.ToHexString(pair.Value.Bits())}"),
        .. model.named_parameters().Select(pair => $"{pair.name}.grad {Gradient(pair.parameter)}"),
        .. model.named_modules().Select(pair => $"{pair.name} {pair.module.training}"),
        $"training {model.training}",
    ];

    public void Dispose()
    {
        Pruner.Dispose();
        Example.Dispose();
        Model.Dispose();
    }

    private static string Gradient(Tensor parameter)
    {
        using var gradient = parameter.grad;
        return $"{parameter.requires_grad} {(gradient is null ? "none" : Convert.ToHexString(gradient.Bits()))}";
    }
}
