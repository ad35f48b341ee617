using Pdp.Channels.Cutting;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>A model in a scenario, whose channels can be masked or given other values, and whose weights can be restored.</summary>
internal sealed class TrialModel : IDisposable
{
    private readonly Scenario _state;
    private readonly ModelRunner _runner;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly List<(Tensor Tensor, Tensor Value)> _values = [];
    private readonly TrainingMode? _training;
    private readonly int _parameters;

    /// <summary>Puts the model into the scenario.</summary>
    /// <param name="model">The model.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="state">The scenario.</param>
    public TrialModel(Module model, ModelRunner runner, Scenario state)
    {
        (Model, _runner, _state) = (model, runner, state);
        _tensors = Surgery.TensorsOf(model);
        state.Fill();
        foreach (var tensor in runner.Snapshot.Parameters.Concat(runner.Snapshot.Buffers))
        {
            using var whole = tensor.detach();
            _values.Add((tensor, whole.clone().DetachFromDisposeScope()));
        }

        _parameters = runner.Snapshot.Parameters.Count();
        _training = state.IsTraining ? new(model, withNorms: !state.NormsEvaluate) : null;
    }

    /// <summary>The model.</summary>
    public Module Model { get; }

    /// <summary>Runs a pass, always with the same random numbers.</summary>
    /// <param name="cuts">The cut channels. Buffers that hold something of each of them are not compared.</param>
    /// <param name="draw">Which random numbers.</param>
    public TrialPass Run(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, ulong draw = 0)
    {
        ModelSnapshot.Rewind(draw);
        using var before = get_rng_state();
        var outputs = _runner.Run(_state.Inputs);
        using var after = get_rng_state();
        var own = cuts.SelectMany(cut => cut.Group.Slices).Where(slice => _tensors.ContainsKey(slice.Name))
            .Select(slice => TensorAddress.OfNative(_tensors[slice.Name])).ToHashSet();
        var buffers = _runner.Snapshot.Buffers.Where(buffer => !own.Contains(TensorAddress.OfNative(buffer)));
        return new(outputs, HasDrawn: !before.bytes.SequenceEqual(after.bytes), Outputs.Of([.. buffers]));
    }

    /// <summary>Restores the state before any pass.</summary>
    public void Refill()
    {
        using var _ = no_grad();
        foreach (var (tensor, value) in _values)
            tensor.copy_(value);
    }

    /// <summary>Restores the buffers alone, which a pass may have changed.</summary>
    public void RefillBuffers()
    {
        using var _ = no_grad();
        foreach (var (buffer, value) in _values.Skip(_parameters))
            buffer.copy_(value);
    }

    /// <summary>Restores the state and masks the channels that are cut.</summary>
    public void Mask(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts)
    {
        Refill();
        Zero(cuts, ChannelRole.Filter, ChannelRole.Bias, ChannelRole.Norm);
    }

    /// <summary>Zeroes what belongs in some roles to the channels that are cut.</summary>
    public void Zero(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, params ChannelRole[] roles)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar zero = 0.ToScalar();
        foreach (var (_, slice, indices) in RemovedFrom(cuts).Where(removed => roles.Contains(removed.Slice.Role)))
        {
            var whole = _tensors[slice.Name];
            whole.index_fill_(slice.Dimension, tensor(indices, device: whole.device), zero);
        }
    }

    /// <summary>Gives masked channels random values.</summary>
    /// <remarks>If the values are of one sign and the channels have shifts, these alone make them.</remarks>
    /// <param name="cuts">The channels.</param>
    /// <param name="least">The least value, for inputs of size 1.</param>
    /// <param name="most">The greatest value.</param>
    public void Drive(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, double least, double most)
    {
        RefillBuffers();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(6);
        foreach (var (group, slice, indices) in RemovedFrom(cuts))
        {
            if (slice.Role is ChannelRole.Follower or ChannelRole.Input)
                continue;

            var whole = _tensors[slice.Name];
            long[] shape = [.. whole.shape.Select((size, dimension) => dimension == slice.Dimension ? indices.Length : size)];
            var fanIn = (double)whole.numel() / whole.shape[slice.Dimension];
            var (from, to) = slice.Role switch
            {
                _ when slice.IsShift => (least, most),
                ChannelRole.Norm => (0.5, 1.5),
                _ when least * most > 0 && group.Slices.Any(other => other.Role is not ChannelRole.Follower && other.IsShift) => (0, 0),
                _ => (least / fanIn, most / fanIn),
            };
            whole.index_copy_(slice.Dimension, tensor(indices, device: whole.device), random.Uniform(shape, from, to, whole));
        }
    }

    /// <summary>
    /// Changes the weights of the masked model in their last digits, by one random factor per filter and one per input of a layer.
    /// </summary>
    public void Jitter(IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, double share)
    {
        Mask(cuts);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var random = new RandomTensors(5);
        foreach (var parameter in _runner.Snapshot.Parameters.Where(parameter => parameter.is_floating_point() && parameter.dim() > 0))
        {
            long[] filters = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? size : 1)];
            long[] inputs = [.. parameter.shape.Select((size, dimension) => dimension == 0 ? 1 : size)];
            parameter.mul_(Factors(filters, parameter)).mul_(Factors(inputs, parameter));
        }

        Tensor Factors(long[] shape, Tensor like) => random.Uniform(shape, 1 - share, 1 + share, like);
    }

    public void Dispose()
    {
        _training?.Dispose();
        foreach (var (_, value) in _values)
            value.Dispose();
    }

    /// <summary>The indices of the removed channels in each slice.</summary>
    private static IEnumerable<(ChannelGroup Group, ChannelSlice Slice, long[] Indices)> RemovedFrom(
        IEnumerable<(ChannelGroup Group, long[] Kept)> cuts)
    {
        foreach (var (group, kept) in cuts)
        {
            var removed = Enumerable.Range(0, (int)group.Channels).Select(channel => (long)channel).Except(kept).ToArray();
            foreach (var slice in group.Slices)
                yield return (group, slice, [.. Surgery.IndicesOf(slice, removed)]);
        }
    }
}
