using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Discrimination;

/// <summary>DCP's algorithm 1: stage by stage, fine-tunes the network and then chooses channels group by group.</summary>
/// <param name="network">The network.</param>
/// <param name="options">The settings.</param>
internal sealed class StagedSelection(NetworkPair network, DcpOptions options)
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly List<(string Name, ChannelReaders Readers, bool[] Kept)> _done = [];
    private int _batch;

    /// <summary>Chooses the channels of all groups.</summary>
    /// <param name="groups">The groups, with what reads them and the number of channels to keep.</param>
    /// <returns>Whether a channel is kept, by the group's name.</returns>
    public IReadOnlyDictionary<string, bool[]> Choose(IReadOnlyDictionary<ChannelGroup, (ChannelReaders Readers, int Keep)> groups)
    {
        using var scope = NewDisposeScope();
        network.Evaluate();
        string[] modules = [.. groups.Values.SelectMany(group => group.Readers.Modules).Concat(options.Losses).Distinct()];
        var look = network.RunDense(_batch, modules);
        foreach (var stage in Stage.Of([.. groups.Keys], options.Losses, [.. look.Features.Select(feature => feature.Module)]))
        {
            var goals = stage.Groups.Select(group => (group.Name, groups[group].Readers, groups[group].Keep));
            if (stage.Loss is { } module)
                Choose(goals, module, look);
            else
                Choose(goals, auxiliary: null);
        }

        return _done.ToDictionary(group => group.Name, group => group.Kept, StringComparer.Ordinal);
    }

    /// <summary>A stage by an additional loss.</summary>
    private void Choose(IEnumerable<(string Name, ChannelReaders Readers, int Keep)> goals, string module, Pass look)
    {
        using var auxiliary = AuxiliaryLoss.At(module, look);
        Choose(goals, auxiliary);
    }

    /// <summary>A stage: fine-tunes, then chooses the channels of its groups.</summary>
    private void Choose(IEnumerable<(string Name, ChannelReaders Readers, int Keep)> goals, AuxiliaryLoss? auxiliary)
    {
        FineTune(auxiliary);
        foreach (var (name, readers, keep) in goals)
            _done.Add((name, readers, Choose(readers, keep, auxiliary)));
    }

    /// <summary>Trains the network, and the classifier of the additional loss, by the sum of that loss and the final one.</summary>
    private void FineTune(AuxiliaryLoss? auxiliary)
    {
        network.Train();
        using var optimizer = new NesterovSgd(options);
        for (var step = 0; step < options.FineTuneSteps; step++)
        {
            using var scope = NewDisposeScope();
            ClearGradients(auxiliary);
            var pass = network.Run(_batch++, Listened(auxiliary));
            var loss = Final(pass);
            Backward(auxiliary is null ? loss : loss.add(auxiliary.Of(pass, isTraining: true), One));
            optimizer.Step(network.Parameters.Concat(auxiliary?.Parameters ?? []).Select(weight => (weight, weight.grad)));
            foreach (var (_, readers, kept) in _done)
                readers.Silence(kept);
        }

        network.Evaluate();
    }

    /// <summary>Algorithm 2: adds the channel with the largest gradient and updates the chosen ones, until there are enough.</summary>
    private bool[] Choose(ChannelReaders readers, int keep, AuxiliaryLoss? auxiliary)
    {
        var chosen = new bool[readers.Channels];
        if (keep == readers.Channels)
            return [.. chosen.Select(_ => true)];

        readers.Empty();
        using var optimizer = new NesterovSgd(options);
        for (var count = 0; count < keep; count++)
        {
            ClearGradients(auxiliary);
            for (var batch = 0; batch < options.ScoreBatches; batch++)
                Backward(readers, auxiliary);
            var best = Best(readers.GradientNorms(), chosen);
            chosen[best] = true;
            readers.Return(best);
            for (var step = 0; step < options.UpdateSteps; step++)
                Update(readers, chosen, auxiliary, optimizer);
        }

        return chosen;
    }

    private void Update(ChannelReaders readers, bool[] chosen, AuxiliaryLoss? auxiliary, NesterovSgd optimizer)
    {
        using var scope = NewDisposeScope();
        ClearGradients(auxiliary);
        Backward(readers, auxiliary);
        optimizer.Step(readers.Learning(chosen));
    }

    /// <summary>Adds ∂L/∂W for L = L_M + λ·L_S on the next batch.</summary>
    private void Backward(ChannelReaders readers, AuxiliaryLoss? auxiliary)
    {
        using var scope = NewDisposeScope();
        using Scalar weight = options.LossWeight.ToScalar();
        var batch = _batch++;
        var dense = network.RunDense(batch, readers.Modules);
        var pass = network.Run(batch, [.. readers.Modules, .. Listened(auxiliary)]);
        var discrimination = auxiliary?.Of(pass, isTraining: false) ?? Final(pass);
        Backward(Reconstruction(pass, dense, readers.Modules).add(discrimination, weight));
    }

    /// <summary>L_M = 1/(2Q)·Σ(O − O_dense)² over the outputs of each layer that reads the channels, Q numbers each.</summary>
    private static Tensor Reconstruction(Pass pass, Pass dense, IReadOnlyCollection<string> modules)
    {
        RequireSameBatch(pass, dense);
        using Scalar half = 0.5.ToScalar();
        var errors = pass.Of(modules).Zip(dense.Of(modules), (output, target) => functional.mse_loss(output, target));
        return stack(errors).sum().mul(half);
    }

    private static Tensor Final(Pass pass) => functional.cross_entropy(pass.Outputs, pass.Labels);

    private static string[] Listened(AuxiliaryLoss? auxiliary) => auxiliary is null ? [] : [auxiliary.Module];

    /// <summary>The channel with the largest norm that has not been chosen; the first of several.</summary>
    private static int Best(double[] norms, bool[] chosen) =>
        Enumerable.Range(0, norms.Length).Where(channel => !chosen[channel]).MaxBy(channel => norms[channel]);

    private static void Backward(Tensor loss)
    {
        if (!loss.isfinite().cpu().ReadCpuBool(0))
            throw new InvalidOperationException("The loss of DCP is not finite: lower DcpOptions.LearningRate.");
        loss.backward();
    }

    private static void RequireSameBatch(Pass pass, Pass dense)
    {
        if (!pass.Labels.shape.AsSpan().SequenceEqual(dense.Labels.shape) || !pass.Labels.eq(dense.Labels).all().cpu().ReadCpuBool(0))
            throw new InvalidOperationException(
                "Two calls for the same number gave different labels: the function must give the same batch whenever it gets that number.");
    }

    private void ClearGradients(AuxiliaryLoss? auxiliary)
    {
        network.ClearGradients();
        foreach (var parameter in auxiliary?.Parameters ?? [])
            parameter.grad = null;
    }
}
