using System.Collections.Concurrent;
using Pdp.Numerics.Kernels;
using Pdp.Watching;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>
/// Trains a few weights of its own for two masked steps when a pruner is made, so that the first step finds its code compiled.
/// </summary>
/// <remarks>Once in a process for each kind of kernel; takes 20 ms or so. Draws no random numbers and leaves nothing behind.</remarks>
internal static class Rehearsal
{
    /// <summary>So many weights that the search for their threshold starts from a sample, as in layers of usual sizes.</summary>
    private const long Elements = 1 << 14;

    private static readonly ConcurrentDictionary<(long Members, long Stride), bool> Rehearsed = [];

    /// <summary>Rehearses the steps of a weight that has kernels, unless its kind was rehearsed before.</summary>
    /// <returns>Whether it was not.</returns>
    public static bool Of(PdpMask mask)
    {
        // Where whole weights compete, how they lie makes no difference.
        var (members, stride) = mask.Strategy is NofM groups ? ((long)groups.Of, (long)NofMKernel.StrideOf(mask.Layout)) : (1, 1);
        var isNew = Rehearsed.TryAdd((members, stride), true);
        if (isNew)
            Train(mask.Strategy, new([Math.Max(1, Elements / (members * stride)), members, stride]));
        return isNew;
    }

    private static void Train(IMaskStrategy strategy, WeightLayout layout)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode(false);
        using var gradients = enable_grad();
        using Scalar count = layout.Elements.ToScalar();
        using var weight = new Parameter(arange(count, dtype: ScalarType.Float32, device: CPU).reshape(layout.Dimensions));
        var mask = new PdpMask(nameof(Rehearsal), layout, strategy, Temperature.Relative(0.25), strategy.GroupingOf(layout).Members / 2);
#pragma warning disable CA2000 // The model owns the group.
        var group = new MaskGroup(mask, new GroupSlices(mask, weight));
#pragma warning restore CA2000
        using var model = new MaskedModel([new PrunedLayer(group, Rule: null)]);
        using var watch = new MisuseWatch([group]);
        using var gate = new ScopeGate(model, watch, meter: null);
        model.Advance(1, 0);
        for (var step = 0; step < 2; step++)
        {
            var number = gate.Open(MaskForm.Soft);
            weight.sum().backward();
            gate.Close(number);
        }
    }
}
