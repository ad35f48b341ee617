using System.Globalization;
using Pdp.Channels.Shrinking;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>Cuts channels out of a model in one state, and compares with the same channels masked.</summary>
internal sealed class Trial : IDisposable
{
    private readonly Module _model;
    private readonly ModelSnapshot _snapshot;
    private readonly TrialState _state;
    private readonly Func<IReadOnlyList<Tensor>?, Outputs> _run;
    private readonly Rounding _rounding;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly List<(Tensor Tensor, Tensor Value)> _values = [];
    private readonly TrainingMode? _training;
    private bool? _isRandom;

    /// <summary>Puts the model into a state.</summary>
    /// <param name="model">The model.</param>
    /// <param name="snapshot">What puts it back when all trials are over.</param>
    /// <param name="state">The state.</param>
    /// <param name="run">A pass, with the random numbers as they come.</param>
    public Trial(Module model, ModelSnapshot snapshot, TrialState state, Func<IReadOnlyList<Tensor>?, Outputs> run)
    {
        (_model, _snapshot, _state, _run) = (model, snapshot, state, run);
        _rounding = Rounding.Of(snapshot.Parameters);
        _tensors = Surgery.TensorsOf(model);
        state.Fill();
        foreach (var tensor in snapshot.Parameters.Concat(snapshot.Buffers))
        {
            using var whole = tensor.detach();
            _values.Add((tensor, whole.clone().DetachFromDisposeScope()));
        }

        _training = state.IsTraining ? new(model, withNorms: !state.NormsEvaluate) : null;
    }

    /// <summary>The state's seed.</summary>
    public ulong Seed => _state.Seed;

    /// <summary>Cuts some channels of each group; the model is in the state again afterwards.</summary>
    public Verdict Cut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        try
        {
            Mask(cuts);
            var masked = Run();
            var isRandom = _isRandom ??= !Same(masked, _run(_state.Inputs));
            Jitter(cuts);
            var comparison = new Comparison(masked, Run(), _rounding);
            if (!comparison.IsTelling)
                return Verdict.Nothing;

            return (isRandom ? RefusalOfReads(cuts, comparison) : null) is { } refusal ? Verdict.Refused(refusal) : CutOut(cuts, comparison, isRandom);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // The model doesn't take the state's inputs or mode, with no channel cut out.
            return Verdict.Nothing;
        }
        finally
        {
            Refill();
        }
    }

    /// <summary>Whether masking the norms of groups alone gives the very outputs that masking their filters too does.</summary>
    public bool IsNormalized(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        try
        {
            Silence(cuts, ChannelRole.Norm);
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

    /// <summary>Where random numbers hang on the number of channels, as in dropout, what the readers read of removed ones is checked by itself.</summary>
    private string? RefusalOfReads(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, Comparison comparison)
    {
        Mask(cuts);
        Silence(cuts, ChannelRole.Input);
        return Describe(comparison.Excess(Run()));
    }

    private Verdict CutOut(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, Comparison comparison, bool isRandom)
    {
        Mask(cuts);
        using var surgery = Surgery.Keep(_model, cuts.Select(cut => (cut.Group, (IReadOnlyList<long>)cut.Kept)));
        try
        {
            var cut = Run();
            return !comparison.Fits(cut) ? Verdict.Refused("its channels are outputs of the model")
                : !isRandom && Describe(comparison.Excess(cut)) is { } refusal ? Verdict.Refused(refusal)
                : Verdict.Passed;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return Verdict.Refused($"the model does not run without some of its channels{(_state.IsTraining ? " in training mode" : "")} ({fault.Message.Split('\n')[0].TrimEnd()})");
        }
        finally
        {
            surgery.Undo();
        }
    }

    private string? Describe(double? excess) => excess is null ? null
        : string.Create(CultureInfo.InvariantCulture, $"the model's output changes when its silent channels are cut out ({_state.Words}, by {excess:0.0E+0} of the largest value in its row)");

    private void Mask(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        Refill();
        Silence(cuts, ChannelRole.Filter, ChannelRole.Bias, ChannelRole.Norm);
    }

    private void Silence(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, params ChannelRole[] roles)
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

    /// <summary>The state as it was before any pass.</summary>
    private void Refill()
    {
        using var _ = no_grad();
        foreach (var (tensor, value) in _values)
            tensor.copy_(value);
    }

    /// <summary>Changes the weights of the masked model in their last digits, each filter and each input of a layer by a share of its own.</summary>
    private void Jitter(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        Mask(cuts);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var draw = new Draw(5);
        foreach (var parameter in _snapshot.Parameters.Where(parameter => parameter.is_floating_point() && parameter.dim() > 0))
        {
            long[] filters = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? size : 1)];
            long[] inputs = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? 1 : size)];
            parameter.mul_(Factors(filters, parameter)).mul_(Factors(inputs, parameter));
        }

        Tensor Factors(long[] shape, Tensor like) => draw.Uniform(shape, 1 - _rounding.Jitter, 1 + _rounding.Jitter, like);
    }
}
