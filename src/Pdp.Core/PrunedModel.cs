using Pdp.Allocation;
using Pdp.Channels.Cutting;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Masking;
using Pdp.Methods;
using Pdp.Reporting;
using Pdp.Saving;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>A model with the selection of its weights, their masks and the method in use; makes the plans and reports about them.</summary>
/// <remarks>Owns the masks and their copies of the weights; borrows the model.</remarks>
internal sealed class PrunedModel : IDisposable
{
    private readonly PdpOptions _options;
    private readonly LayerSelection _selection;
    private readonly SizeAccount? _sizes;
    private readonly Registration _registration;
    private readonly IMethodRun? _run;

    /// <summary>Selects the weights and makes their masks.</summary>
    /// <exception cref="ArgumentException">
    /// A match matches nothing, nothing is left to prune, or the channel map belongs to another model.
    /// </exception>
    public PrunedModel(Module model, PdpOptions options)
    {
        Module = model;
        _options = options;
        if (options.Channels?.Misfit(model) is { } misfit)
            throw new ArgumentException(misfit, nameof(options));
        _selection = new(model, options.Criteria);
        _sizes = options.Channels is { } map ? new SizeAccount(model, map, options.EffectiveMacs) : null;
        var layers = new List<PrunedLayer>();
        try
        {
            layers.AddRange(_selection.Pruned.Select(layer => new PrunedLayer(GroupOf(layer), layer.Rule)));
            _registration = new(model, layers.SelectMany(layer => layer.Group.Parameters));
            _run = options.Method is { } method ? Attach(method, layers) : null;
            foreach (var layer in layers.Where(_ => options.Importance is not null))
                layer.Group.Follow(options.Importance!);
            Masked = new(layers);
        }
        catch
        {
            foreach (var layer in layers)
                layer.Group.Dispose();
            throw;
        }
    }

    /// <summary>The model; borrowed.</summary>
    public Module Module { get; }

    /// <summary>The part of it that is masked.</summary>
    public MaskedModel Masked { get; }

    /// <summary>The parameters that a method other than PDP learns besides the weights.</summary>
    public IReadOnlyList<NamedParameter> MethodParameters => _run?.Parameters ?? [];

    /// <summary>The number of parameters; tied ones count once.</summary>
    private long Parameters => ModelParameters.Distinct(Module).Sum(parameter => parameter.numel());

    /// <summary>Checks that the model still has the parameters that are masked.</summary>
    /// <exception cref="InvalidOperationException">One was replaced.</exception>
    public void RequireSameParameters() => _registration.Require();

    /// <summary>Checks that the model still has the shapes of the channel map; applying a shrink record changes them.</summary>
    /// <exception cref="InvalidOperationException">It has other shapes.</exception>
    public void RequireFittingMap()
    {
        if (_options.Channels?.Misfit(Module) is { } misfit)
            throw new InvalidOperationException(misfit);
    }

    /// <summary>Describes the settings that determine each layer's target and mask under some options.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Settings(PdpOptions options) => Masked.Layers.ToDictionary(
        layer => layer.Mask.Name,
        layer => RunSettings.Of(
            layer,
            options.Goal,
            options.TemperaturesOf(layer.Rule, layer.Mask.Strategy),
            _selection.Ties.MaskedAlong(layer.Mask.Name, layer.Mask.Strategy)));

    /// <summary>Sets each layer's temperatures from the options.</summary>
    public void SetTemperatures(PdpOptions options)
    {
        foreach (var layer in Masked.Layers)
        {
            var (temperature, gradient) = options.TemperaturesOf(layer.Rule, layer.Mask.Strategy);
            layer.Mask.Follow(temperature, gradient);
        }
    }

    /// <summary>Tells a method other than PDP the epoch.</summary>
    public void BeginMethod(double epoch)
    {
        if (_run is null)
            return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _run.Begin(epoch);
    }

    /// <summary>Checks that an optimizer moves the parameters that a method learns.</summary>
    /// <exception cref="InvalidOperationException">None does; nothing has changed.</exception>
    public void RequireMethodTrained(bool isFinal)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _run?.RequireTrained(isFinal);
    }

    /// <summary>Checks that the importance of every weight is known.</summary>
    /// <exception cref="InvalidOperationException">A weight has had no gradient yet that says anything.</exception>
    public void RequireImportance()
    {
        string[] unknown = [.. Masked.Masks.Where(mask => mask.Importance is { IsKnown: false }).Select(mask => $"'{mask.Name}'")];
        if (unknown.Length > 0)
            throw new InvalidOperationException(
                $"Pruning begins, but {_options.Importance!.Name} has seen no gradient of {InvariantText.Listed(unknown)} yet, or only 0 "
                + "or infinity: train one step or more within Mask() before the schedule starts, and exclude weights without gradients.");
    }

    /// <summary>Plans what happens to each weight if the masks get these targets.</summary>
    public PruningPlan Plan(IReadOnlyList<long> targets, bool isFinal)
    {
        var removed = Masked.Masks.Zip(targets).ToDictionary(pair => pair.First.Name, pair => pair.Second / (double)pair.First.Members);
        return new()
        {
            Layers = [.. _selection.All.Select(layer => PlanOf(layer, removed.GetValueOrDefault(_selection.Ties.FirstOf(layer))))],
            ModelParameters = Parameters,
            File = FileAccount.Total(Module, Masked.Layers, targets),
            IsFinal = isFinal,
            Size = SizeAfter(targets),
            Warnings = [.. WarningsOf(targets)],
        };
    }

    /// <summary>Reports the current state of the model.</summary>
    /// <param name="before">The softness of the masks before the commit that is reported; null to measure it.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="hasEnded">Whether the schedule has ended.</param>
    /// <param name="isCommitted">Whether the zeros are final.</param>
    /// <param name="warnings">Other warnings, which come first in the report.</param>
    public PruningReport Report(Softness[]? before, double epoch, bool hasEnded, bool isCommitted, IEnumerable<string> warnings)
    {
        var (layers, leak) = ReportBuilder.Measure(Masked.Layers, before);
        var report = new PruningReport
        {
            Layers = layers,
            Epoch = epoch,
            IsCommitted = isCommitted,
            ModelParameters = Parameters,
            File = FileAccount.Total(Module, Masked.Layers, layers),
            Leak = leak,
            Warnings = [],
            Size = SizeAfter(Masked.Masks.Select(mask => mask.Removed)),
        };
        return report with
        {
            Warnings = [.. warnings, .. ReportBuilder.WarningsOf(report, hasEnded), .. UnfrozenWarning(),
                .. WarningsOf([.. Masked.Masks.Select(mask => hasEnded ? mask.Removed : mask.Target)])],
        };
    }

    /// <summary>The groups whose masks are committed, with the channels that each keeps.</summary>
    public IReadOnlyList<ShrunkGroup> KeptChannels()
    {
        using var scope = NewDisposeScope();
        return
        [
            .. Masked.Layers.Where(layer => layer.Mask.Strategy is PerChannel && layer.Group.Frozen is not null)
                .Select(layer => new ShrunkGroup(_selection.Ties.GroupOf(layer.Mask.Name), IndicesOf(layer.Group.Frozen!))),
        ];
    }

    /// <summary>The hard masks of the pruned weights and of everything that belongs to their channels, by name; the caller's.</summary>
    public IReadOnlyDictionary<string, Tensor> CommittedMasks()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var masks = new CommittedMasks(Surgery.TensorsOf(Module));
        foreach (var layer in Masked.Layers)
            masks.Add(layer.Group, _selection.Ties.TiedUnder(layer.Mask.Name, layer.Mask.Strategy));
        return masks.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Masked.Dispose();
        _run?.Dispose();
    }

    private static IMethodRun Attach(IPruningMethod method, List<PrunedLayer> layers)
    {
        var run = method.Attach([.. layers.Select(layer => new MethodLayer(layer.Mask, layer.Group.Slices.Lone))]);
        foreach (var (i, layer) in layers.Index())
            layer.Group.Follow(MethodRule.Of(layer.Group, run, i));
        return run;
    }

    private static long[] IndicesOf(Tensor kept) =>
        [.. kept.cpu().data<bool>().ToArray().Index().Where(pair => pair.Item).Select(pair => (long)pair.Index)];

    private MaskGroup GroupOf(LayerDecision layer)
    {
        var strategy = _selection.StrategyOf(layer);
        var (temperature, gradient) = _options.TemperaturesOf(layer.Rule, strategy);
        if (_selection.Ties.GroupOf(layer) is { } group)
            return ChannelMaskGroup.Of(group, Module, strategy, temperature, gradient);

        var mask = new PdpMask(layer.Info.Name, layer.Info.Layout, strategy, temperature) { GradientTemperature = gradient };
        return new(mask, new GroupSlices(mask, layer.Parameter));
    }

    /// <summary>The model's size once the channels that the masks remove are cut out; null without a channel map.</summary>
    private SizeChange? SizeAfter(IEnumerable<long> removed) => _sizes?.After(
    [
        .. Masked.Masks.Zip(removed).Where(pair => pair.First.Strategy is PerChannel)
            .Select(pair => new ChannelCut(_selection.Ties.GroupOf(pair.First.Name), pair.Second)),
    ]);

    /// <summary>Warnings about how a set of targets divides the sparsity among the layers.</summary>
    private IEnumerable<string> WarningsOf(IReadOnlyList<long> targets) => new[]
    {
        NearlyEmptyLayers.Warning(_options.Goal, Masked.Layers, targets),
        ChannelRounding.Warning(_options.Goal, Masked.Layers, targets),
        CutPatterns.Warning(_options.Channels, Masked.Layers),
    }.OfType<string>();

    private IEnumerable<string> UnfrozenWarning() => _selection.Unfrozen.ToArray() is { Length: > 0 } names
        ? [$"These weights were frozen when the pruner was made, train now, and stay dense: {string.Join(", ", names)}. Make a new pruner "
            + "to prune them, or include them from the start."]
        : [];

    private PlannedLayer PlanOf(LayerDecision layer, double sparsity) => new()
    {
        Name = layer.Info.Name,
        Shape = layer.Info.Layout.ToString(),
        Elements = layer.Info.Layout.Elements,
        Strategy = layer.DenseReason is null ? _selection.StrategyOf(layer).Name : null,
        Rule = _selection.Ties.IsFirst(layer) ? layer.Rule?.Match.ToString() : $"with {_selection.Ties.FirstOf(layer)}",
        DenseReason = LayerSelection.ReasonNow(layer),
        Removed = (long)Math.Round(sparsity * layer.Info.Layout.Elements),
        FileBytes = FileAccount.Of(layer, sparsity),
    };
}
