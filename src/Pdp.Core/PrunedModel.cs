using Pdp.Channels;
using Pdp.Internal;
using Pdp.Kernels;
using Pdp.Masks;
using Pdp.Reporting;
using Pdp.Selection;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>The weights of a model: those that are pruned, with their masks, and those that stay dense, with the reason.</summary>
/// <remarks>Owns the masked weights' copies; borrows the model.</remarks>
internal sealed class PrunedModel : IDisposable
{
#pragma warning disable CA2213 // The model is borrowed.
    private readonly Module _model;
#pragma warning restore CA2213
    private readonly PdpOptions _options;
    private readonly IReadOnlyList<SelectedLayer> _weights;
    private readonly FusedModel _fused;
    private readonly Dictionary<string, ChannelGroup> _groups = [];
    private readonly SizeAccount? _sizes;

    /// <summary>Selects the weights and makes their masks.</summary>
    /// <exception cref="ArgumentException">A match matches nothing, or nothing is left to prune.</exception>
    public PrunedModel(Module model, PdpOptions options)
    {
        _model = model;
        _options = options;
        _weights = [.. LayerSelection.Select(model, options.Include, options.Exclude, options.Rules).Select(WithRefusal)];
        if (options.Channels is { } map)
        {
            _groups = GroupsByFilter(map);
            _sizes = new SizeAccount(model, map, options.EffectiveMacs);
            _weights = [.. _weights.Select(layer => WithGroup(layer, map))];
            _weights = [.. _weights.Select(WithTies)];
        }

        Layers = [.. _weights.Where(layer => layer.DenseReason is null && IsFirst(layer)).Select(layer => new PrunedLayer(WeightOf(layer), layer.Rule))];
        Masks = [.. Layers.Select(layer => layer.Mask)];
        _fused = new FusedModel(Layers.Select(layer => (layer.Weight as MaskedWeight)?.Fused).OfType<FusedWeight>());
        if (Layers.Length == 0)
            throw new ArgumentException($"Every weight stays dense: {string.Join("; ", _weights.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include some of them, or choose a strategy that fits their shapes.", nameof(options));
    }

    public Module Module => _model;

    /// <summary>The weights that are pruned; an array, as going through it must not allocate.</summary>
    public PrunedLayer[] Layers { get; }

    public IReadOnlyList<PdpMask> Masks { get; }

    /// <summary>Whether any mask removes anything now.</summary>
    public bool IsPruning
    {
        get
        {
            foreach (var layer in Layers)
            {
                if (layer.Mask.Removed > 0)
                    return true;
            }

            return false;
        }
    }

    /// <summary>The fraction of the prunable weights that the masks remove now.</summary>
    public double Sparsity => Masks.Sum(mask => mask.RemovedWeights) / (double)Masks.Sum(mask => mask.Layout.Elements);

    /// <summary>All parameters, tied ones once.</summary>
    public long Parameters =>
        _model.parameters().Where(parameter => parameter.numel() > 0).DistinctBy(Address.Of).Sum(parameter => parameter.numel());

    /// <summary>Masks all weights, or none if one of them can't be.</summary>
    public void Enter(MaskForm form)
    {
        try
        {
            foreach (var layer in Layers)
                layer.Weight.Enter(form);
            if (_fused.Enter() is { } notFinite)
                throw new InvalidOperationException(MaskedWeight.NotFinite(notFinite));
        }
        catch
        {
            _fused.Leave();
            for (var i = Layers.Length - 1; i >= 0; i--)
                Layers[i].Weight.Leave(out var _);
            throw;
        }
    }

    /// <summary>Takes the weights with kernels out of the scope; each one's <see cref="MaskedWeight.Leave"/> then says how it went.</summary>
    public void LeaveFused() => _fused.Leave();

    public void SetTargets(IEnumerable<long> targets)
    {
        foreach (var (mask, target) in Masks.Zip(targets))
            mask.Target = target;
    }

    public void Advance(double fraction, double epoch)
    {
        foreach (var layer in Layers)
            layer.Mask.Advance(fraction, epoch);
    }

    /// <summary>What will happen to each weight if the masks get these targets.</summary>
    public PruningPlan Plan(IReadOnlyList<long> targets, bool isFinal)
    {
        var removed = Masks.Zip(targets).ToDictionary(pair => pair.First.Name, pair => pair.Second / (double)pair.First.Members);
        return new()
        {
            Layers = [.. _weights.Select(layer => PlanOf(layer, (long)Math.Round(removed.GetValueOrDefault(FirstOf(layer)) * layer.Info.Layout.Elements)))],
            ModelParameters = Parameters,
            IsFinal = isFinal,
            Size = SizeAfter(targets),
        };
    }

    /// <summary>The groups that have lost channels for good, with the channels that are left.</summary>
    public IReadOnlyList<ShrunkGroup> KeptChannels()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return
        [
            .. Layers.Where(layer => layer.Weight is MaskedChannels { Frozen: not null })
                .Select(layer => new ShrunkGroup(_groups[layer.Mask.Name], [.. Indices(layer.Weight.Frozen!.narrow(1, 0, 1).cpu().data<bool>().ToArray())])),
        ];
    }

    /// <summary>The model's size when each mask has removed so many members and their channels are cut out; null without groups of channels.</summary>
    public SizeChange? SizeAfter(IEnumerable<long> removed) => _sizes?.After(
        [.. Masks.Zip(removed).Where(pair => pair.First.Strategy is Channel).Select(pair => (_groups[pair.First.Name], pair.Second))]);

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Weight.Dispose();
    }

    private SelectedLayer WithRefusal(SelectedLayer layer) =>
        layer with { DenseReason = layer.DenseReason ?? StrategyOf(layer).Refusal(layer.Info.Layout) };

    private static IEnumerable<long> Indices(bool[] kept) => kept.Index().Where(pair => pair.Item).Select(pair => (long)pair.Index);

    /// <summary>The group of each filter, by the filter's name.</summary>
    private static Dictionary<string, ChannelGroup> GroupsByFilter(ChannelMap map) => map.Groups
        .SelectMany(group => group.Of(ChannelRole.Filter).Select(slice => (slice.Name, group)))
        .ToDictionary(pair => pair.Name, pair => pair.group, StringComparer.Ordinal);

    /// <summary>Leaves weights dense whose channels can't be removed.</summary>
    private SelectedLayer WithGroup(SelectedLayer layer, ChannelMap map) =>
        layer.DenseReason is not null || StrategyOf(layer) is not Channel || _groups.ContainsKey(layer.Info.Name) ? layer
            : layer with { DenseReason = map.Refused.GetValueOrDefault(layer.Info.Name) ?? "it is in none of the channel groups" };

    /// <summary>Leaves weights dense that are tied to one that stays dense, or is pruned otherwise.</summary>
    private SelectedLayer WithTies(SelectedLayer layer)
    {
        if (layer.DenseReason is not null || !_groups.TryGetValue(layer.Info.Name, out var group) || StrategyOf(layer) is not Channel)
            return layer;

        var tied = group.Of(ChannelRole.Filter).Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        var other = _weights.FirstOrDefault(other => tied.Contains(other.Info.Name) && (other.DenseReason is not null || StrategyOf(other) != StrategyOf(layer)));
        return other is null ? layer : layer with { DenseReason = $"tied to {other.Info.Name}, which {(other.DenseReason is null ? "has another strategy" : "stays dense")}" };
    }

    /// <summary>The weight that stands for a tied set; of other weights they themselves.</summary>
    private string FirstOf(SelectedLayer layer) =>
        layer.DenseReason is null && StrategyOf(layer) is Channel && _groups.TryGetValue(layer.Info.Name, out var group) ? group.Name : layer.Info.Name;

    private bool IsFirst(SelectedLayer layer) => FirstOf(layer) == layer.Info.Name;

    private IMaskedWeight WeightOf(SelectedLayer layer)
    {
        var temperature = layer.Rule?.Temperature ?? _options.EffectiveTemperature;
        if (StrategyOf(layer) is not Channel || !_groups.TryGetValue(layer.Info.Name, out var group))
            return new MaskedWeight(layer.Parameter, new PdpMask(layer.Info.Name, layer.Info.Layout, StrategyOf(layer), temperature));

        var parameters = _model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
        SliceView[] Views(ChannelRole role) => [.. group.Of(role).Select(slice => new SliceView(parameters[slice.Name], slice, group.Channels))];
        var filters = Views(ChannelRole.Filter);
        var layout = new WeightLayout([group.Channels, filters.Sum(view => view.Width)]);
        return new MaskedChannels(new PdpMask(group.Name, layout, StrategyOf(layer), temperature), filters, Views(ChannelRole.Companion));
    }

    private PlannedLayer PlanOf(SelectedLayer layer, long removed) => new(
        layer.Info.Name,
        layer.Info.Layout.ToString(),
        layer.Info.Layout.Elements,
        layer.DenseReason is null ? StrategyOf(layer).Name : null,
        IsFirst(layer) ? layer.Rule?.Match.ToString() : $"with {FirstOf(layer)}",
        layer.DenseReason,
        removed);

    private IMaskStrategy StrategyOf(SelectedLayer layer) => layer.Rule?.Strategy ?? _options.Strategy;
}
