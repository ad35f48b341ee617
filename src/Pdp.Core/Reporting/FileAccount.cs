using Pdp.Layers;
using Pdp.Masking;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Reporting;

/// <summary>Computes the bytes of weights in a sparse file.</summary>
internal static class FileAccount
{
    /// <summary>The bytes of a weight with a number of zeros.</summary>
    public static long Of(Parameter weight, long zeros) =>
        StoredBytes.Of(weight.numel(), weight.numel() - zeros, (int)weight.ElementSize);

    /// <summary>The bytes of a weight that has a mask of its own; null for channels that are masked together.</summary>
    public static long? Of(MaskGroup group, long zeros) => group.Slices.Lone is { } weight ? Of(weight, zeros) : null;

    /// <summary>The bytes of a weight that loses a fraction; null under further names of a tied one.</summary>
    public static long? Of(LayerDecision layer, double sparsity) =>
        layer.TiedTo is null ? Of(layer.Parameter, ZerosOf(layer.Info.Layout, sparsity)) : null;

    /// <summary>The bytes of a model whose masks have these targets; null if channels are masked together.</summary>
    public static FileSize? Total(Module model, IReadOnlyList<PrunedLayer> pruned, IReadOnlyList<long> targets) =>
        Total(model, pruned, pruned.Zip(targets, (layer, target) =>
            Of(layer.Group, ZerosOf(layer.Mask.Layout, target / (double)layer.Mask.Members))));

    /// <summary>The bytes of a model by the report on its pruned layers; null if channels are masked together.</summary>
    public static FileSize? Total(Module model, IReadOnlyList<PrunedLayer> pruned, IReadOnlyList<LayerReport> report) =>
        Total(model, pruned, report.Select(layer => layer.FileBytes));

    private static FileSize? Total(Module model, IReadOnlyList<PrunedLayer> pruned, IEnumerable<long?> bytes)
    {
        if (pruned.Any(layer => layer.Group.Slices.Lone is null))
            return null;

        var dense = ModelParameters.Distinct(model).Sum(BytesOf);
        return new(dense, dense - pruned.Zip(bytes, (layer, left) => BytesOf(layer.Group.Slices.Lone!) - left!.Value).Sum());
    }

    private static long ZerosOf(WeightLayout layout, double sparsity) => (long)Math.Round(sparsity * layout.Elements);

    private static long BytesOf(Parameter parameter) => parameter.numel() * parameter.ElementSize;
}
