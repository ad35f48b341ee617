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

    /// <summary>Selects the weights and makes their masks.</summary>
    /// <exception cref="ArgumentException">A match matches nothing, or nothing is left to prune.</exception>
    public PrunedModel(Module model, PdpOptions options)
    {
        _model = model;
        _options = options;
        _weights = [.. LayerSelection.Select(model, options.Include, options.Exclude, options.Rules).Select(WithRefusal)];
        Layers = [.. _weights.Where(layer => layer.DenseReason is null).Select(layer => new PrunedLayer(WeightOf(layer), layer.Rule))];
        Masks = [.. Layers.Select(layer => layer.Mask)];
        _fused = new FusedModel(Layers.Select(layer => layer.Weight.Fused).OfType<FusedWeight>());
        if (Layers.Length == 0)
            throw new ArgumentException($"Every weight stays dense: {string.Join("; ", _weights.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}. Include some of them, or choose a strategy that fits their shapes.", nameof(options));
    }

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
            foreach (var layer in Layers)
                layer.Weight.Leave(out var _);
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
    public PruningPlan Plan(IEnumerable<long> targets, bool isFinal)
    {
        var removed = Masks.Zip(targets).ToDictionary(pair => pair.First.Name, pair => pair.Second * pair.First.WeightsPerRank);
        return new()
        {
            Layers = [.. _weights.Select(layer => PlanOf(layer, removed.GetValueOrDefault(layer.Info.Name)))],
            ModelParameters = Parameters,
            IsFinal = isFinal,
        };
    }

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Weight.Dispose();
    }

    private SelectedLayer WithRefusal(SelectedLayer layer) =>
        layer with { DenseReason = layer.DenseReason ?? StrategyOf(layer).Refusal(layer.Info.Layout) };

    private MaskedWeight WeightOf(SelectedLayer layer) => new(
        layer.Parameter,
        new PdpMask(layer.Info.Name, layer.Info.Layout, StrategyOf(layer), layer.Rule?.Temperature ?? _options.EffectiveTemperature));

    private PlannedLayer PlanOf(SelectedLayer layer, long removed) => new(
        layer.Info.Name,
        layer.Info.Layout.ToString(),
        layer.Info.Layout.Elements,
        layer.DenseReason is null ? StrategyOf(layer).Name : null,
        layer.Rule?.Match.ToString(),
        layer.DenseReason,
        removed);

    private IMaskStrategy StrategyOf(SelectedLayer layer) => layer.Rule?.Strategy ?? _options.Strategy;
}
