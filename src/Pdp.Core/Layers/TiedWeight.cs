using Pdp.Internal;

namespace Pdp.Layers;

/// <summary>A weight with all of its names in a model; most have one.</summary>
/// <param name="Names">The names, in the order of the model's parameters; the first one represents the weight.</param>
internal sealed record TiedWeight(IReadOnlyList<ScannedWeight> Names)
{
    /// <summary>Why a weight that doesn't train stays dense.</summary>
    public const string Frozen = "frozen (requires_grad is false): include it to prune it";

    public ScannedWeight First => Names[0];

    /// <summary>Why it can't be pruned at all; null if it can.</summary>
    public string? Refusal => Precision.IsPrunable(First.Parameter.dtype) ? null : $"{First.Parameter.dtype} weights can't be pruned";

    /// <summary>Whether it is only used as the weight of layers.</summary>
    public bool IsLayer => Refusal is null && ReasonOfRole is null;

    /// <summary>Whether a layer uses it, even if it is also an embedding's table.</summary>
    public bool IsUsedByLayer => Refusal is null && Names.Any(name => name.Role == WeightRole.Layer);

    /// <summary>Whether the library knows none of its uses.</summary>
    public bool IsOther => Refusal is null && Names.All(name => name.Role == WeightRole.Other);

    /// <summary>Why it stays dense unless it is included; null if it is pruned by default.</summary>
    public string? ReasonToLeave => Refusal ?? (Names.Any(name => name.Parameter.requires_grad) ? ReasonOfRole : Frozen);

    private string? ReasonOfRole =>
        Names.FirstOrDefault(name => name.Role is WeightRole.Embedding or WeightRole.Norm) is { } other
            ? $"{(other == First ? "" : $"tied to {other.Info.Name}: ")}{(other.Role == WeightRole.Norm ? "norms" : "embeddings")} stay "
                + "dense unless included"
            : Names.Any(name => name.Role == WeightRole.Layer) ? null
            : $"a parameter of '{First.Info.Module.GetName()}', not the weight of a layer: include it to prune it";

    /// <summary>Whether a match selects it under any of its names.</summary>
    public bool Matches(LayerMatch match) => Names.Any(name => match.Matches(name.Info));
}
