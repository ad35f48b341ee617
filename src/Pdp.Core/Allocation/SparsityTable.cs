using System.Globalization;
using Pdp.Allocation;
using Pdp.Internal;

namespace Pdp;

/// <summary>An explicit table from weight names to sparsities, such as another method's result (the paper's "PDP-optg").</summary>
/// <remarks>
/// The counts are r·n rounded so that they add up to the table's own total, rounded: no layer is off by more than one weight. Leave
/// the sparsity of the options unset.
/// </remarks>
public sealed record SparsityTable : ISparsityAllocation
{
    /// <summary>Makes the allocation.</summary>
    /// <param name="sparsities">
    /// The fraction removed, in [0, 1), by the weight's full name; an entry for each weight to be pruned, no others.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A sparsity is not in [0, 1).</exception>
    public SparsityTable(IReadOnlyDictionary<string, double> sparsities)
    {
        ArgumentNullException.ThrowIfNull(sparsities);
        foreach (var (name, sparsity) in sparsities)
            Guard.Fraction(sparsity, name);
        Sparsities = new SortedDictionary<string, double>(sparsities.ToDictionary(), StringComparer.Ordinal);
    }

    /// <summary>The table.</summary>
    public IReadOnlyDictionary<string, double> Sparsities { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The table lacks a layer, names one that isn't pruned, or asks for more or less than a layer's bounds allow.
    /// </exception>
    public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers)
    {
        RequireSameNames(layers);
        RequireBounds(layers);
        return layers.Sum(Ideal) / layers.Sum(layer => layer.Layout.Elements);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The table lacks a layer, names one that isn't pruned, or asks for more or less than a layer's bounds allow.
    /// </exception>
    public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove)
    {
        RequireSameNames(layers);
        RequireBounds(layers);
        AllocationRange.Require(layers, remove);
        return Proportional.Round(layers, [.. layers.Select(Ideal)], remove);
    }

    /// <inheritdoc/>
    public string Describe() =>
        $"{nameof(SparsityTable)}: {string.Join(", ", Sparsities.Select(entry => $"{entry.Key} {InvariantText.Of(entry.Value)}"))}";

    private double Ideal(AllocationLayer layer) => Sparsities[layer.Name] * layer.Layout.Elements;

    private void RequireSameNames(IReadOnlyList<AllocationLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);

        var names = layers.Select(layer => layer.Name).ToHashSet(StringComparer.Ordinal);
        var missing = names.Except(Sparsities.Keys).ToArray();
        var unknown = Sparsities.Keys.Except(names).ToArray();
        if (missing.Length > 0)
            throw new ArgumentException($"The table lacks {string.Join(", ", missing)}: add them or exclude them from pruning.");
        if (unknown.Length > 0)
            throw new ArgumentException(
                $"The table names {string.Join(", ", unknown)}, which are not pruned; the weights to be pruned are "
                + $"{string.Join(", ", names)}.");
    }

    /// <summary>Checks that each layer gets its entry up to rounding: what a bound cuts off must not silently go to other layers.</summary>
    private void RequireBounds(IReadOnlyList<AllocationLayer> layers)
    {
        foreach (var layer in layers)
        {
            var ideal = Ideal(layer);
            if (ideal <= layer.Minimum - 1 || ideal >= layer.Maximum + 1)
                throw new ArgumentException(
                    $"The table asks for sparsity {Text(Sparsities[layer.Name])} of {layer.Name}, but its bounds allow {layer.Minimum} to "
                    + $"{layer.Maximum} of its {layer.Layout.Elements} weights to be removed: change the table or the bounds.");
        }
    }

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
