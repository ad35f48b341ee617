using TorchSharp.Modules;

namespace Pdp.Layers;

/// <summary>What has been decided about a weight under one of its names.</summary>
/// <param name="Info">The weight as rules see it.</param>
/// <param name="Parameter">The weight.</param>
/// <param name="Rule">The rule in force, if any: the first one for any of the weights that share its mask.</param>
/// <param name="OwnRule">The first rule for this very name, if any.</param>
/// <param name="DenseReason">Why it stays dense; null if it is pruned.</param>
/// <param name="TiedTo">The name that represents the weight, if this is another one of its names.</param>
internal sealed record LayerDecision(LayerInfo Info, Parameter Parameter, LayerRule? Rule, LayerRule? OwnRule, string? DenseReason,
    string? TiedTo = null)
{
    /// <summary>Whether a rule is in force, or would be if the weight shared no mask.</summary>
    public bool Has(LayerRule rule) => ReferenceEquals(Rule, rule) || ReferenceEquals(OwnRule, rule);
}
