using System.Runtime.CompilerServices;
using System.Text.Json;
using Pdp.Internal;
using Pdp.Sparse.Options;

namespace Pdp.Sparse;

/// <summary>Which form each layer of a model has, so that packing it again needs no example and no timing.</summary>
/// <remarks>A plan belongs to the code and the shapes of a model, and to the sparsity and the machine that it was made for.</remarks>
/// <param name="Layers">The layers that don't compute as their own code does, each once.</param>
public sealed record SparsePlan(IReadOnlyList<SparseLayerPlan> Layers)
{
    /// <summary>The layers that don't compute as their own code does, each once.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    /// <exception cref="ArgumentException">A layer is null, or two have the same name.</exception>
    public IReadOnlyList<SparseLayerPlan> Layers { get; init => field = Checked(value); } = Checked(Layers);

    /// <summary>Writes the plan as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PlanJson.Readable.SparsePlan);

    /// <summary>Reads a plan.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged or is not the JSON of a plan.</exception>
    public static SparsePlan FromJson(string json) => StrictJson.Read(json, PlanJson.Strict.SparsePlan, "The plan");

    private static IReadOnlyList<SparseLayerPlan> Checked(
        IReadOnlyList<SparseLayerPlan> layers, [CallerMemberName] string name = nameof(Layers))
    {
        if (layers is null)
            throw new ArgumentNullException(name);
        if (layers.Any(layer => layer is null))
            throw new ArgumentException("The plan has a layer that is null.", name);
        return layers.GroupBy(layer => layer.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } twice
            ? throw new ArgumentException($"The plan has '{twice.Key}' more than once.", name)
            : layers;
    }
}
