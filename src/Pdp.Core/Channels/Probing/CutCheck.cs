using System.Globalization;
using Pdp.Channels.Shrinking;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>
/// Removes channels from a model in one scenario, and compares the output with that of the model in which they are masked.
/// </summary>
internal sealed class CutCheck : IDisposable
{
    private readonly Module _model;
    private readonly ModelSnapshot _snapshot;
    private readonly Scenario _state;
    private readonly Func<IReadOnlyList<Tensor>?, Outputs> _run;
    private readonly RoundingTolerance _rounding;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly List<(Tensor Tensor, Tensor Value)> _values = [];
    private readonly TrainingMode? _training;
    private bool? _isRandom;

    /// <summary>Puts the model into the scenario.</summary>
    /// <param name="model">The model.</param>
    /// <param name="snapshot">The saved state of the model.</param>
    /// <param name="state">The scenario.</param>
    /// <param name="run">Runs a pass with the given inputs; null for the user's own.</param>
    public CutCheck(Module model, ModelSnapshot snapshot, Scenario state, Func<IReadOnlyList<Tensor>?, Outputs> run)
    {
        (_model, _snapshot, _state, _run) = (model, snapshot, state, run);
        _rounding = RoundingTolerance.Of(snapshot.Parameters);
        _tensors = Surgery.TensorsOf(model);
        state.Fill();
        foreach (var tensor in snapshot.Parameters.Concat(snapshot.Buffers))
        {
            using var whole = tensor.detach();
            _values.Add((tensor, whole.clone().DetachFromDisposeScope()));
        }

        _training = state.IsTraining ? new(model, withNorms: !state.NormsEvaluate) : null;
    }

    /// <summary>The scenario's seed.</summary>
    public ulong Seed => _state.Seed;

    /// <summary>Removes some channels of each group and compares; afterwards the model is in the scenario's state again.</summary>
    public CutResult Cut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        try
        {
            Mask(cuts);
            var masked = Run();
            var isRandom = _isRandom ??= !Same(masked, _run(_state.Inputs));
            Jitter(cuts);
            var comparison = new Comparison(masked, Run(), _rounding);
            if (!comparison.IsConclusive)
                return CutResult.Inconclusive;

            return isRandom && RefusalOfReads(cuts, comparison) is { } refusal
                ? CutResult.Refused(refusal)
                : CutOut(cuts, comparison, isRandom);
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            // The complete model doesn't run with the scenario's inputs or mode.
            return CutResult.Inconclusive;
        }
        finally
        {
            Refill();
        }
    }

    /// <summary>Whether masking only the norms of groups gives exactly the outputs of masking their filters too.</summary>
    public bool IsNormalized(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        try
        {
            Zero(cuts, ChannelRole.Norm);
            var byNorms = Run();
            Mask(cuts);
            return Same(byNorms, Run());
        }
        finally
        {
            Refill();
        }
    }

    public void Dispose()
    {
        _training?.Dispose();
        foreach (var (_, value) in _values)
            value.Dispose();
    }

    private static bool Same(Outputs a, Outputs b) => a.HasShapesOf(b) && a.DifferencesTo(b).All(row => row.Difference == 0);

    private Outputs Run()
    {
        _snapshot.Rewind();
        return _run(_state.Inputs);
    }

    /// <summary>
    /// Checks the readers separately: if random numbers depend on the number of channels, as in dropout, outputs after a cut can't be
    /// compared.
    /// </summary>
    private string? RefusalOfReads(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, Comparison comparison)
    {
        Mask(cuts);
        Zero(cuts, ChannelRole.Input);
        return Describe(comparison.Excess(Run()));
    }

    private CutResult CutOut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, Comparison comparison, bool isRandom)
    {
        Mask(cuts);
        Surgery? surgery = null;
        try
        {
            surgery = Surgery.Keep(_model, cuts.Select(cut => (cut.Group, (IReadOnlyList<long>)cut.Kept)));
            var cut = Run();
            return !comparison.Fits(cut) ? CutResult.Refused("its channels are outputs of the model")
                : !isRandom && Describe(comparison.Excess(cut)) is { } refusal ? CutResult.Refused(refusal)
                : CutResult.Passed;
        }
        catch (Exception fault) when (TrialFaults.MayComeFromSizes(fault))
        {
            var mode = _state.IsTraining ? " in training mode" : "";
            var reason = fault.Message.Split('\n')[0].TrimEnd();
            return CutResult.Refused($"the model does not run without some of its channels{mode} ({reason})");
        }
        finally
        {
            surgery?.Undo();
            surgery?.Dispose();
        }
    }

    private string? Describe(double? excess) => excess is null ? null
        : "the model's output changes when its masked channels are removed "
            + string.Create(CultureInfo.InvariantCulture, $"({_state.Description}, by {excess:0.0E+0} of the largest value in its row)");

    private void Mask(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        Refill();
        Zero(cuts, ChannelRole.Filter, ChannelRole.Bias, ChannelRole.Norm);
    }

    private void Zero(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, params ChannelRole[] roles)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar zero = 0.ToScalar();
        foreach (var (group, kept) in cuts)
        {
            var removed = Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept).ToArray();
            foreach (var slice in group.Slices.Where(slice => roles.Contains(slice.Role)))
            {
                var whole = _tensors[slice.Name];
                whole.index_fill_(slice.Dimension, tensor(Surgery.IndicesOf(slice, removed).ToArray(), device: whole.device), zero);
            }
        }
    }

    /// <summary>Restores the state before any pass.</summary>
    private void Refill()
    {
        using var _ = no_grad();
        foreach (var (tensor, value) in _values)
            tensor.copy_(value);
    }

    /// <summary>
    /// Changes the weights of the masked model in their last digits, by one random factor per filter and one per input of a layer.
    /// </summary>
    private void Jitter(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        Mask(cuts);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(5);
        foreach (var parameter in _snapshot.Parameters.Where(parameter => parameter.is_floating_point() && parameter.dim() > 0))
        {
            long[] filters = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? size : 1)];
            long[] inputs = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? 1 : size)];
            parameter.mul_(Factors(filters, parameter)).mul_(Factors(inputs, parameter));
        }

        Tensor Factors(long[] shape, Tensor like) => random.Uniform(shape, 1 - _rounding.Jitter, 1 + _rounding.Jitter, like);
    }
}
