using Pdp.Allocation;
using Pdp.Channels.Shrinking;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Masking;
using Pdp.Reporting;
using Pdp.Saving;
using static TorchSharp.torch;
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
    private readonly ChannelTies _ties;
    private readonly SizeAccount? _sizes;
    private readonly Registration _registration;
    private readonly IMethodRun? _run;

    /// <summary>Selects the weights and makes their masks.</summary>
    /// <exception cref="ArgumentException">A match matches nothing, nothing is left to prune, or the channel map is of another model.</exception>
    public PrunedModel(Module model, PdpOptions options)
    {
        _model = model;
        _options = options;
        if (options.Channels?.Misfit(model) is { } misfit)
            throw new ArgumentException(misfit, nameof(options));
        _ties = new(options.Channels, options.Rules, StrategyOf);
        SelectedLayer[] fitting = [.. _ties.ShareRules(LayerSelection.Select(model, options.Include, options.Exclude, options.Rules)).Select(WithRefusal)];
        _weights = _ties.Refuse(fitting);
        // A rule whose own strategy doesn't fit is in the plan, as the strategy is what it asked for.
        foreach (var rule in options.Rules.Where(rule => rule.Strategy is null || fitting.Any(layer => layer.DenseReason is null && layer.Has(rule))))
            Choice.RequireEffect(rule, _weights);
        _sizes = options.Channels is { } map ? new SizeAccount(model, map, options.EffectiveMacs) : null;
        SelectedLayer[] selected = [.. _weights.Where(layer => layer.DenseReason is null && _ties.IsFirst(layer))];
        if (selected.Length == 0)
            throw new ArgumentException($"Every weight stays dense: {string.Join("; ", _weights.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include some of them, or choose a strategy that fits their shapes.", nameof(options));

        Layers = LayersOf(selected);
        Masks = [.. Layers.Select(layer => layer.Mask)];
        _registration = Register();
        _run = Attach(options.Method);
        foreach (var layer in Layers.Where(_ => options.Importance is not null))
            layer.Weight.Follow(options.Importance!);
        foreach (var mask in Masks)
            mask.Attach();
        _fused = new FusedModel(Layers.Select(layer => layer.Weight.Fused).OfType<IFusedWeight>());
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

    /// <summary>The fraction of the prunable weights that the masks remove in the end; 0 until the targets are set.</summary>
    public double TargetSparsity { get; private set; }

    /// <summary>What a method other than PDP learns besides the weights.</summary>
    public IReadOnlyList<NamedParameter> MethodParameters => _run?.Parameters ?? [];

    /// <summary>All parameters, tied ones once.</summary>
    public long Parameters =>
        _model.parameters().Where(parameter => parameter.numel() > 0).DistinctBy(Address.Of).Sum(parameter => parameter.numel());

    /// <summary>The weights that stay dense because they were frozen, and train by now.</summary>
    public IEnumerable<string> Unfrozen => _weights.Where(layer => ReasonNow(layer) != layer.DenseReason).Select(layer => layer.Info.Name);

    /// <summary>Masks all weights, or none if one of them can't be.</summary>
    public void Enter(MaskForm form)
    {
        try
        {
            foreach (var layer in Layers)
                layer.Weight.Enter(form);
            if (_fused.Enter() is { } notFinite)
                throw new InvalidOperationException(Faults.NotFinite(notFinite));
        }
        catch
        {
            _fused.Leave();
            for (var i = Layers.Length - 1; i >= 0; i--)
                Layers[i].Weight.Leave(out var _);
            throw;
        }
    }

    /// <summary>Checks that the model still has the parameters that are masked.</summary>
    /// <exception cref="InvalidOperationException">One was replaced.</exception>
    public void RequireSameParameters() => _registration.Require();

    /// <summary>Takes the weights with kernels out of the scope; each one's <see cref="MaskedWeight.Leave"/> then says how it went.</summary>
    public void LeaveFused() => _fused.Leave();

    /// <summary>What decides about each layer's target and mask, in words, if the options are these.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Settings(PdpOptions options) => Layers.ToDictionary(
        layer => layer.Mask.Name,
        layer => RunSettings.Of(layer, options, TemperatureOf(layer.Rule, layer.Mask.Strategy, options), _ties.MaskedAlong(layer.Mask)));

    /// <summary>Takes the temperatures that options give each layer.</summary>
    public void SetTemperatures(PdpOptions options)
    {
        foreach (var (weight, rule) in Layers)
            weight.Mask.Temperature = TemperatureOf(rule, weight.Mask.Strategy, options);
    }

    public void SetTargets(IEnumerable<long> targets)
    {
        foreach (var (mask, target) in Masks.Zip(targets))
            mask.Target = target;
        TargetSparsity = Masks.Sum(mask => mask.TargetWeights) / (double)Masks.Sum(mask => mask.Layout.Elements);
    }

    public void Advance(double fraction, double epoch)
    {
        foreach (var layer in Layers)
            layer.Mask.Move(fraction, epoch);
    }

    /// <summary>Lets a method other than PDP follow the clock.</summary>
    public void BeginMethod(double epoch)
    {
        if (_run is null)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _run.Begin(epoch);
    }

    /// <summary>Checks that what a method learns is trained.</summary>
    /// <exception cref="InvalidOperationException">It is not; nothing has changed.</exception>
    public void RequireMethodTrained(bool isFinal)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _run?.RequireTrained(isFinal);
    }

    /// <summary>Checks that what weights compete by is known.</summary>
    /// <exception cref="InvalidOperationException">No gradient of a weight was seen yet.</exception>
    public void RequireImportance()
    {
        string[] unknown = [.. Masks.Where(mask => mask.Importance is { Sensitivity: null }).Select(mask => $"'{mask.Name}'")];
        if (unknown.Length > 0)
            throw new InvalidOperationException($"Pruning begins, but {_options.Importance!.Name} has seen no gradient of {Words.Listed(unknown)} yet: let the schedule start later, train one step or more within Mask() until then, and exclude weights that get no gradient.");
    }

    /// <summary>What will happen to each weight if the masks get these targets.</summary>
    public PruningPlan Plan(IReadOnlyList<long> targets, bool isFinal)
    {
        var removed = Masks.Zip(targets).ToDictionary(pair => pair.First.Name, pair => pair.Second / (double)pair.First.Members);
        return new()
        {
            Layers = [.. _weights.Select(layer => PlanOf(layer, (long)Math.Round(removed.GetValueOrDefault(_ties.FirstOf(layer)) * layer.Info.Layout.Elements)))],
            ModelParameters = Parameters,
            IsFinal = isFinal,
            Size = SizeAfter(targets),
            Warnings = [.. WarningsOf(targets)],
        };
    }

    /// <summary>What should be looked at in the division among the layers if the masks get these targets.</summary>
    public IEnumerable<string> WarningsOf(IReadOnlyList<long> targets) =>
        new[] { NearlyEmpty.Warning(_options, Layers, targets), ChannelRounding.Warning(_options, Layers, targets) }.OfType<string>();

    /// <summary>The groups that have lost channels for good, with the channels that are left.</summary>
    public IReadOnlyList<ShrunkGroup> KeptChannels()
    {
        using var scope = NewDisposeScope();
        return
        [
            .. Layers.Where(layer => layer.Weight is MaskedChannels { Frozen: not null })
                .Select(layer => new ShrunkGroup(_ties.GroupOf(layer.Mask), [.. Indices(layer.Weight.Frozen!.cpu().data<bool>().ToArray())])),
        ];
    }

    /// <summary>The hard masks of all that commit has zeroed or may zero, and of what goes with it, by name; the caller's.</summary>
    public IReadOnlyDictionary<string, Tensor> CommittedMasks()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var masks = new CommittedMasks(Surgery.TensorsOf(_model));
        foreach (var layer in Layers)
        {
            if (_ties.TiedUnder(layer.Mask) is { } group)
                masks.Add(group, layer.Weight.Frozen);
            else
                masks.Add(layer.Mask.Name, layer.Weight.Frozen);
        }

        return masks.MoveToOuterDisposeScope();
    }

    /// <summary>The model's size when each mask has removed so many members and their channels are cut out; null without groups of channels.</summary>
    public SizeChange? SizeAfter(IEnumerable<long> removed) => _sizes?.After(
        [.. Masks.Zip(removed).Where(pair => pair.First.Strategy is PerChannel).Select(pair => new ChannelCut(_ties.GroupOf(pair.First), pair.Second))]);

    public void Dispose()
    {
        DisposeOf(Layers);
        _run?.Dispose();
    }

    private Registration Register()
    {
        try
        {
            return new(_model, Layers);
        }
        catch
        {
            DisposeOf(Layers);
            throw;
        }
    }

    private IMethodRun? Attach(IPruningMethod? method)
    {
        try
        {
            var run = method?.Attach([.. Layers.Select(layer => layer.Weight.AsLayer())]);
            for (var i = 0; i < Layers.Length && run is not null; i++)
                Layers[i].Weight.Follow(run, i);
            return run;
        }
        catch
        {
            DisposeOf(Layers);
            throw;
        }
    }

    private PrunedLayer[] LayersOf(SelectedLayer[] selected)
    {
        var layers = new List<PrunedLayer>();
        try
        {
            foreach (var layer in selected.Select(layer => new PrunedLayer(WeightOf(layer), layer.Rule)))
                layers.Add(layer);
            return [.. layers];
        }
        catch
        {
            DisposeOf(layers);
            throw;
        }
    }

    private static void DisposeOf(IEnumerable<PrunedLayer> layers)
    {
        foreach (var layer in layers)
            layer.Weight.Dispose();
    }

    private SelectedLayer WithRefusal(SelectedLayer layer) =>
        layer with { DenseReason = layer.DenseReason ?? StrategyOf(layer).UnsupportedReason(layer.Info.Layout) };

    private static IEnumerable<long> Indices(bool[] kept) => kept.Index().Where(pair => pair.Item).Select(pair => (long)pair.Index);

    private IMaskedWeight WeightOf(SelectedLayer layer)
    {
        var strategy = StrategyOf(layer);
        var temperature = TemperatureOf(layer.Rule, strategy, _options);
        return strategy is PerChannel
            ? _ties.Mask(layer, _model, temperature)
            : new MaskedWeight(layer.Parameter, new PdpMask(layer.Info.Name, layer.Info.Layout, strategy, temperature));
    }

    private PlannedLayer PlanOf(SelectedLayer layer, long removed) => new()
    {
        Name = layer.Info.Name,
        Shape = layer.Info.Layout.ToString(),
        Elements = layer.Info.Layout.Elements,
        Strategy = layer.DenseReason is null ? StrategyOf(layer).Name : null,
        Rule = _ties.IsFirst(layer) ? layer.Rule?.Match.ToString() : $"with {_ties.FirstOf(layer)}",
        DenseReason = ReasonNow(layer),
        Removed = removed,
    };

    /// <summary>Why a weight stays dense; what was frozen may train by now.</summary>
    private static string? ReasonNow(SelectedLayer layer) => layer.DenseReason == TiedWeight.Frozen && layer.Parameter is { IsInvalid: false, requires_grad: true }
        ? "it was frozen when the pruner was made and trains now: make a new pruner to prune it"
        : layer.DenseReason;

    private static Temperature TemperatureOf(LayerRule? rule, IMaskStrategy strategy, PdpOptions options) =>
        rule?.Temperature ?? options.EffectiveTemperatureOf(strategy);

    private IMaskStrategy StrategyOf(SelectedLayer layer) => layer.Rule?.Strategy ?? _options.Strategy;
}
