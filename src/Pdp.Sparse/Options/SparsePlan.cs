using System.Text.Json;
using Pdp.Internal;
using Pdp.Sparse.Options;

namespace Pdp.Sparse;

/// <summary>Which form each layer of a model has, so that packing it again needs no example and no timing.</summary>
/// <remarks>A plan belongs to the code and the shapes of a model, and to the sparsity and the machine that it was made for.</remarks>
/// <param name="Layers">The layers that are not as their own code computes them.</param>
public sealed record SparsePlan(IReadOnlyList<SparseLayerPlan> Layers)
{
    /// <summary>Writes the plan as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PlanJson.Readable.SparsePlan);

    /// <summary>Reads a plan.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is damaged or is not the JSON of a plan.</exception>
    public static SparsePlan FromJson(string json) => StrictJson.Read(json, PlanJson.Strict.SparsePlan, "The plan");
}
