using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Weights side by side, as one whose thresholds differ from part to part.</summary>
/// <remarks>
/// Each weight is laid out as its competitors, <c>[groups, members]</c>. Under N:M, all groups follow one another: <c>[all groups, M]</c>.
/// Unstructured, each weight is one group, and they are joined to a row: <c>[1, all elements]</c>. Owns the tensors that say which weight
/// an element of the row, or a group, belongs to.
/// </remarks>
internal sealed class WeightBatch : IDisposable
{
    private static readonly Scalar Zero = 0.ToScalar();
    private static readonly Scalar One = 1.ToScalar();

    private readonly PdpMask[] _masks;
    private readonly long[] _sizes;
    private readonly int _joined;
    private readonly bool _isRow;
    private readonly Device _device;
    private long[] _removed = [];
    private Tensor? _part;
    private Tensor? _place;

    /// <param name="masks">The masks of the weights, all of one strategy: unstructured or N:M.</param>
    /// <param name="device">Where the weights are.</param>
    public WeightBatch(PdpMask[] masks, Device device)
    {
        _masks = masks;
        Strategy = masks[0].Strategy;
        _isRow = Strategy is Unstructured;
        _joined = _isRow ? 1 : 0;
        _sizes = [.. masks.Select(mask => _isRow ? mask.Members : mask.Groups)];
        Layout = new(_isRow ? [1, _sizes.Sum()] : [_sizes.Sum(), masks[0].Members]);
        _device = device;
    }

    /// <summary>The strategy of all.</summary>
    public IMaskStrategy Strategy { get; }

    /// <summary>The layout of all side by side.</summary>
    public WeightLayout Layout { get; }

    private Tensor Part => _part ??= Numbers();

    /// <summary>Whether it is of these masks, in this order.</summary>
    public bool IsOf(ReadOnlySpan<PdpMask> masks) => masks.SequenceEqual(_masks);

    /// <summary>A copy of tensors of the weights' shapes, side by side in their layout.</summary>
    public Tensor Join(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        Tensor[] groups = [.. tensors.Zip(_masks, (values, mask) => mask.Strategy.Sum(values, mask.Layout))];
        // TorchSharp returns a single tensor as it is.
        return (groups.Length == 1 ? groups[0].clone() : cat(groups, _joined)).MoveToOuterDisposeScope();
    }

    /// <summary>The parts in the weights' shapes; views where the order of the elements allows it. Works in the caller's scope.</summary>
    public Tensor[] Split(Tensor joined) =>
    [
        .. joined.split(_sizes, _joined).Zip(_masks, (part, mask) => mask.Strategy.Spread(part, mask.Layout)),
    ];

    /// <summary>The threshold of each group, equation 1: <c>[weights]</c>, or <c>[groups, 1]</c> if there are many in a weight.</summary>
    public Tensor Threshold(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var magnitude = Strategy.Magnitude(weight, Layout);
        return (_isRow
            ? SoftMask.Between(Ranks.Around(magnitude.reshape(-1), Part, Place()))
            : SoftMask.Threshold(magnitude, _masks[0].Removed)).MoveToOuterDisposeScope();
    }

    /// <summary>What determines the masks at a temperature. Works in the caller's scope.</summary>
    public Boundary BoundaryOf(Tensor weight, Tensor threshold, Sharpness sharpness) => Boundary.Of(
        Strategy.Magnitude(weight, Layout), ForEach(threshold), ForEach(SoftMask.Scale(threshold, sharpness)));

    /// <summary>The weights in units of the largest of each. Works in the caller's scope.</summary>
    public Tensor InUnits(Tensor weight) =>
        weight.div(ForEachPart(stack([.. weight.split(_sizes, _joined).Select(Radial.LargestOf)]).reshape(1, -1)).squeeze(0));

    /// <summary>Sums pairs of values, <c>[2, …]</c>, over each weight, for each element or group. Works in the caller's scope.</summary>
    public Tensor Totals(Tensor pair) =>
        ForEachPart(stack([.. pair.split(_sizes, _joined + 1).Select(part => part.reshape(2, -1).sum(1))], 1));

    public void Dispose()
    {
        _part?.Dispose();
        _place?.Dispose();
    }

    /// <summary>The value of each weight for its elements, <c>[1, elements]</c>; values of groups as they are.</summary>
    private Tensor ForEach(Tensor values) => _isRow ? values.index_select(0, Part).reshape(1, -1) : values;

    /// <summary>
    /// Values of each weight, <c>[n, weights]</c>, for its elements, <c>[n, 1, elements]</c>, or its groups, <c>[n, groups, 1]</c>.
    /// </summary>
    private Tensor ForEachPart(Tensor values)
    {
        var parts = values.index_select(1, Part);
        return _isRow ? parts.unsqueeze(1) : parts.unsqueeze(2);
    }

    /// <summary>Where each weight's largest member to remove is, if its members are in order; made anew only when counts change.</summary>
    private Tensor Place()
    {
        long[] removed = [.. _masks.Select(mask => mask.Removed)];
        if (_place is null || !removed.AsSpan().SequenceEqual(_removed))
        {
            _place?.Dispose();
            var start = 0L;
            var places = new long[removed.Length];
            for (var i = 0; i < places.Length; start += _sizes[i++])
                places[i] = start + removed[i] - 1;
            _place = tensor(places, ScalarType.Int64, _device).DetachFromDisposeScope();
            _removed = removed;
        }

        return _place;
    }

    /// <summary>The number of the weight of each element of the row, or of each group.</summary>
    private Tensor Numbers()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(false);
        using Scalar count = _sizes.Length.ToScalar();
        var numbers = arange(Zero, count, One, dtype: ScalarType.Int32, device: _device);
        return numbers.repeat_interleave(tensor(_sizes, ScalarType.Int64, _device), 0).DetachFromDisposeScope();
    }
}
