using Pdp.Sparse.Files;
using Pdp.Sparse.Layers;
using Pdp.Sparse.Packing;
using Pdp.Sparse.Reporting;
using Pdp.Sparse.Trials;
using Pdp.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse;

/// <summary>Packs a model: by trial on an example, or by a plan.</summary>
internal sealed class Packer
{
    private readonly Module _model;
    private readonly SparseOptions _options;
    private readonly IReadOnlyList<WeightEntry> _weights;
    private readonly IReadOnlySet<WeightEntry> _forced;
    private readonly Medians _clock;

    /// <summary>Checks the model and the options.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">The options.</param>
    /// <param name="clock">Times calls; by default (null) the real ones.</param>
    public Packer(Module model, SparseOptions options, Medians? clock = null)
    {
        if (model.training)
        {
            throw new InvalidOperationException(
                $"The model '{model.GetName()}' is in training mode, and packed layers can't be trained: call model.eval() first.");
        }

        if (PdpPruner.IsMasking(model))
        {
            throw new InvalidOperationException(
                "A mask scope is open on the model, so that its weights are the masked ones: pack after the scope, best after Commit().");
        }

        (_model, _options, _clock) = (model, options, clock ?? Clock.Medians);
        _weights = WeightEntry.Of(model);
        _forced = LayerChoice.Forced(options, _weights);
    }

    /// <summary>Finds out on an example what is fastest.</summary>
    /// <param name="forward">Calls the model.</param>
    public SparseModel ByTrial(Func<Tensor> forward)
    {
        if (_forced.Count == 0 && _weights.All(weight => weight.Zeros == 0 || LayerChoice.ReasonAgainst(weight, _options) is not null))
            return Untouched("No layer that can be packed has zeros: the model stays as it is.");

        using var example = new Example(_model, forward);
        if (!example.IsSame())
            return Untouched("The model's output varies from call to call and can't be compared: the model stays as it is.");
        using var trial = new Trial(_model, example, _weights, _forced, _options, _clock);
        var times = trial.Settle();
        var settled = trial.Take();
        return Pack(settled, new(_options, trial, _weights) { Times = times, Notes = [.. example.Notes, .. trial.Notes] });
    }

    /// <summary>Applies the choices of a plan.</summary>
    /// <exception cref="ArgumentException">The plan doesn't fit the model.</exception>
    public SparseModel ByPlan(SparsePlan plan) =>
        Pack(new PlanReader(_model, _weights).Read(plan).Select(layer => layer.Settle()), new(_options, trial: null, _weights));

    /// <summary>Loads a file and packs each layer by a plan as soon as it has its weight.</summary>
    /// <exception cref="ArgumentException">The plan doesn't fit the model.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or doesn't fit the model.</exception>
    public SparseModel ByPlan(SparsePlan plan, string path)
    {
        var layers = new PlanReader(_model, _weights).Read(plan);
        var file = new ModelLoad(_model, path, new LoadOptions());
        var packed = layers.Select(layer => layer.Layer.Weight).ToHashSet<Tensor>(ReferenceEqualityComparer.Instance);
        file.Copy(tensor => !packed.Contains(tensor));
        var loaded = _weights.Select(weight => packed.Contains(weight.Parameter) ? weight : weight.Recounted()).ToList();
        return Pack(layers.Select(Load), new(_options, trial: null, loaded));

        SettledLayer Load(ChosenLayer layer)
        {
            var weight = layer.Layer.Weight;
            file.Copy(tensor => ReferenceEquals(tensor, weight));
            var entry = loaded.FindIndex(entry => ReferenceEquals(entry.Parameter, weight));
            loaded[entry] = loaded[entry].Recounted();
            return layer.Settle();
        }
    }

    private SparseModel Untouched(string why) => Pack([], new(_options, trial: null, _weights) { Notes = [why] });

    private SparseModel Pack(IEnumerable<SettledLayer> settled, ReportBuilder report) => new(_model, settled, report);
}
