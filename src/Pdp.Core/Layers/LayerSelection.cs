using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>Which weights of a model are pruned, under which rule and strategy, and why the others stay dense.</summary>
internal sealed class LayerSelection
{
    private readonly LayerCriteria _criteria;

    /// <summary>Chooses.</summary>
    /// <exception cref="ArgumentException">
    /// A match matches nothing, a rule or an include has no effect, or nothing is left to prune.
    /// </exception>
    public LayerSelection(Module model, LayerCriteria options)
    {
        _criteria = options;
        Ties = new(options.Channels, options.Rules, StrategyOf);
        LayerDecision[] fitting = [.. Ties.ShareRules(LayerMatching.Select(model, options.Include, options.Exclude, options.Rules))
            .Select(WithRefusal)];
        All = Ties.Refuse(fitting);
        // A rule whose own strategy doesn't fit is in the plan, as the strategy is what it asked for.
        foreach (var rule in options.Rules.Where(rule => rule.Strategy is null
            || fitting.Any(layer => layer.DenseReason is null && layer.Has(rule))))
            EffectChecks.Require(rule, All);

        Pruned = [.. All.Where(layer => layer.DenseReason is null && Ties.IsFirst(layer))];
        if (Pruned.Count == 0)
            throw new ArgumentException(
                $"Every weight stays dense: {string.Join("; ", All.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include "
                + "some of them, or choose a strategy that fits their shapes.", nameof(options));
    }

    /// <summary>All weights under all of their names, in the order of the model's parameters.</summary>
    public IReadOnlyList<LayerDecision> All { get; }

    /// <summary>Those that get a mask: of a tied set the first one.</summary>
    public IReadOnlyList<LayerDecision> Pruned { get; }

    /// <summary>Which weights share a mask.</summary>
    public ChannelTies Ties { get; }

    /// <summary>The weights that stay dense because they were frozen, but train now.</summary>
    public IEnumerable<string> Unfrozen => All.Where(layer => ReasonNow(layer) != layer.DenseReason).Select(layer => layer.Info.Name);

    /// <summary>Why a weight stays dense; what was frozen may train now.</summary>
    public static string? ReasonNow(LayerDecision layer) =>
        layer.DenseReason == TiedWeight.Frozen
        && layer.Parameter is { IsInvalid: false, requires_grad: true }
        ? "it was frozen when the pruner was made and trains now: make a new pruner to prune it"
        : layer.DenseReason;

    public IMaskStrategy StrategyOf(LayerDecision layer) => layer.Rule?.Strategy ?? _criteria.Strategy;

    private LayerDecision WithRefusal(LayerDecision layer) =>
        layer with { DenseReason = layer.DenseReason ?? StrategyOf(layer).UnsupportedReason(layer.Info.Layout) };
}
