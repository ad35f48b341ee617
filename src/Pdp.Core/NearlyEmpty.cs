using System.Globalization;
using Pdp.Allocation;
using Pdp.Reporting;

namespace Pdp;

/// <summary>Warns of layers that an allocation nearly empties while the whole keeps far more.</summary>
/// <remarks>
/// By magnitude that happens to layers whose weights are small by initialization alone: the second linear layer of a fresh transformer block, with
/// four times the inputs, keeps 1 weight of 65,536 at 90 %. No bound tells fresh networks from trained ones, so that it is not mended by default:
/// ResNet-20, trained on CIFAR-10, keeps 0.7 % of a layer at 90 % and 0.16 % at 95 %, and does well.
/// </remarks>
internal static class NearlyEmpty
{
    /// <summary>The sparsity of a layer above which it counts as nearly empty.</summary>
    private const double Limit = 0.99;

    /// <summary>Layers of fewer weights are no loss.</summary>
    private const long LeastWeights = 1000;

    /// <summary>The layers that are named.</summary>
    private const int Named = 3;

    /// <summary>The warning, if members are removed as the targets say; null where no layer is nearly empty.</summary>
    public static string? Warning(PdpOptions options, IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        var whole = Share(layers.Zip(targets).Sum(pair => pair.Second * pair.First.Mask.WeightsPerRank), layers.Sum(layer => layer.Mask.Layout.Elements));
        if (whole > Limit || options.Allocation is PerLayer)
            return null;

        string[] empty = [.. layers.Zip(targets).Where(pair => IsAllocated(options, pair.First) && IsNearlyEmpty(pair.First.Mask, pair.Second)).Select(pair => Words(pair.First.Mask, pair.Second))];
        var more = empty.Length > Named ? $" and {empty.Length - Named} more" : "";
        return empty.Length == 0
            ? null
            : $"Nearly empty, with the whole at {TextTable.Percent(whole)}: {string.Join(", ", empty.Take(Named))}{more}. If the network is trained from scratch, set PdpOptions.MaximumLayerSparsity, to {Limit.ToString(CultureInfo.InvariantCulture)} for example, or Allocation = new ErdosRenyiKernel(), which doesn't look at the weights.";
    }

    /// <summary>Whether nothing but the allocation has a say in how much of a layer goes.</summary>
    private static bool IsAllocated(PdpOptions options, PrunedLayer layer) =>
        layer.Mask.Strategy.FixedSparsity is null && layer.Rule?.Sparsity is null && (layer.Rule?.MaximumSparsity ?? options.MaximumLayerSparsity) == 1;

    private static bool IsNearlyEmpty(PdpMask mask, long target) => mask.Layout.Elements >= LeastWeights && Share(target, mask.Members) > Limit;

    private static string Words(PdpMask mask, long target) =>
        string.Create(CultureInfo.InvariantCulture, $"'{mask.Name}' keeps {mask.Layout.Elements - (target * mask.WeightsPerRank)} of {mask.Layout.Elements} weights");

    private static double Share(long part, long all) => part / (double)all;
}
