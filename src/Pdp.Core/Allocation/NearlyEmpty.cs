using System.Globalization;
using Pdp.Internal;
using Pdp.Masking;

namespace Pdp.Allocation;

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

    /// <summary>Layers of fewer weights don't count by their sparsity.</summary>
    private const long LeastWeights = 1000;

    /// <summary>A last weight is a loss in layers of any size where the whole's sparsity would leave so many.</summary>
    private const double LeastLeft = 16;

    /// <summary>A last channel is a loss where there were so many, and the whole's sparsity would leave two.</summary>
    private const long LeastChannels = 16;

    /// <summary>The layers that are named.</summary>
    private const int Named = 3;

    /// <summary>The warning, if members are removed as the targets say; null where no layer is nearly empty.</summary>
    public static string? Warning(PdpOptions options, IReadOnlyList<PrunedLayer> layers, IReadOnlyList<long> targets)
    {
        var whole = Share(layers.Zip(targets).Sum(pair => pair.Second * pair.First.Mask.WeightsPerRank), layers.Sum(layer => layer.Mask.Layout.Elements));
        if (whole > Limit || options.Allocation is SparsityTable)
            return null;

        (PdpMask Mask, long Target)[] empty =
        [
            .. layers.Zip(targets).Where(pair => IsAllocated(pair.First) && (IsNearlyEmpty(options, pair.First, pair.Second) || IsLastOne(pair.First.Mask, pair.Second, whole)))
                .Select(pair => (pair.First.Mask, pair.Second)),
        ];
        var more = empty.Length > Named ? $" and {empty.Length - Named} more" : "";
        return empty.Length == 0
            ? null
            : $"Nearly empty, with the whole at {TextTable.Percent(whole)}: {string.Join(", ", empty.Take(Named).Select(Words))}{more}. If the network is trained from scratch, set PdpOptions.MaximumLayerSparsity, to {Cure(empty)} for example, or Allocation = new ErdosRenyiKernel(), which doesn't look at the weights.";
    }

    /// <summary>Whether no rule has a say in how much of a layer goes.</summary>
    private static bool IsAllocated(PrunedLayer layer) =>
        layer.Mask.Strategy.FixedSparsity is null && layer.Rule?.Sparsity is null && layer.Rule?.MaximumSparsity is null or 1;

    private static bool IsNearlyEmpty(PdpOptions options, PrunedLayer layer, long target) =>
        (layer.Rule?.MaximumSparsity ?? options.MaximumLayerSparsity) == 1
        && layer.Mask.Layout.Elements >= LeastWeights && Share(target, layer.Mask.Members) > Limit;

    /// <summary>Whether one competitor is left where the whole's sparsity would leave more.</summary>
    private static bool IsLastOne(PdpMask mask, long target, double whole)
    {
        var left = (1 - whole) * mask.Members;
        return target == mask.Members - 1 && (mask.Strategy is Pdp.PerChannel ? left >= 2 && mask.Members >= LeastChannels : left >= LeastLeft);
    }

    /// <summary>A bound at which each of the layers keeps more than one competitor.</summary>
    private static string Cure(IEnumerable<(PdpMask Mask, long Target)> empty)
    {
        var bound = Math.Min(Limit, 1 - (1.5 / empty.Min(pair => pair.Mask.Members)));
        return (Math.Floor(bound * 1000) / 1000).ToString(CultureInfo.InvariantCulture);
    }

    private static string Words((PdpMask Mask, long Target) layer)
    {
        var (mask, kept) = (layer.Mask, layer.Mask.Members - layer.Target);
        var channels = mask.Strategy is Pdp.PerChannel ? string.Create(CultureInfo.InvariantCulture, $" ({kept} of {mask.Members} channels)") : "";
        return string.Create(CultureInfo.InvariantCulture, $"'{mask.Name}' keeps {kept * mask.WeightsPerRank} of {mask.Layout.Elements} weights{channels}");
    }

    private static double Share(long part, long all) => part / (double)all;
}
