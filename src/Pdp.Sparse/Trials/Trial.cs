using System.Globalization;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;
using Pdp.Sparse.Packing;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Trials;

/// <summary>Tries forms of a model's layers on the example, and settles on one for each; the weights stay where they are.</summary>
internal sealed class Trial : IDisposable
{
    /// <summary>The largest fraction of a simpler form's time that a form may take to be worth it.</summary>
    private const double Gain = 0.97;

    private readonly Example _example;
    private readonly SparseOptions _options;
    private readonly IReadOnlySet<WeightEntry> _forced;
    private readonly Medians _clock;
    private readonly TrialLayer[] _layers;
    private readonly FoldedModules _folded;
    private readonly List<string> _notes = [];
    private bool _isDisposed;

    /// <summary>Watches a model on the example, and puts hooks on its layers.</summary>
    /// <param name="model">The model.</param>
    /// <param name="example">The example.</param>
    /// <param name="weights">The weights of the model.</param>
    /// <param name="forced">Those that are packed whatever they gain.</param>
    /// <param name="options">The options.</param>
    /// <param name="clock">Times calls.</param>
    public Trial(
        Module model, Example example, IReadOnlyList<WeightEntry> weights, IReadOnlySet<WeightEntry> forced, SparseOptions options,
        Medians clock)
    {
        (_example, _options, _forced, _clock) = (example, options, forced, clock);
        var reachable = weights.Where(weight => weight.Layer is not null).ToArray();
        var folds = FoldFinder.Find(model, reachable.Select(weight => weight.Layer!), example.Run);
        _layers = [.. reachable.Where(weight => folds.ContainsKey(weight.Layer!)).Select(weight => Layer(weight, folds[weight.Layer!]))];
        _folded = new(_layers.SelectMany(layer => layer.Fold.Followers));
        Jobs.Shared.Open();
    }

    /// <summary>The layers that ran.</summary>
    public IReadOnlyList<TrialLayer> Layers => _layers;

    /// <summary>What was undone, and why.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Whether a weight is packed whatever it gains.</summary>
    public bool IsForced(WeightEntry weight) => _forced.Contains(weight);

    /// <summary>Settles on the forms.</summary>
    /// <returns>The times of the whole model.</returns>
    public ModelTimes Settle()
    {
        Fold();
        TimeLayers();
        Pack();
        PutChannelsLast();
        if (_forced.Count > 0)
            TimeUnforced();
        var times = TimeModel();
        CheckReaders();
        return times;
    }

    /// <summary>Hands over the forms that were settled on, and removes the hooks.</summary>
    public IReadOnlyList<SettledLayer> Take()
    {
        SettledLayer[] settled =
        [
            .. _layers.Where(layer => layer.Form != LayerForm.Dense)
                .Select(layer => new SettledLayer(layer.Layer, layer.Fold, layer.Form, layer.Take())),
        ];
        Dispose();
        return settled;
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _folded.Dispose();
        foreach (var layer in _layers)
            layer.Dispose();
        Jobs.Shared.Close();
    }

    private TrialLayer Layer(WeightEntry weight, LayerFold fold) => new(
        weight, _options.Fold ? fold : LayerFold.None,
        IsForced(weight) || (weight.Zeros > 0 && LayerChoice.ReasonAgainst(weight, _options) is null), _clock);

    private void Fold()
    {
        TrialLayer[] folding = [.. _layers.Where(layer => !layer.Fold.IsNone)];
        foreach (var layer in Suspects.Use(_example, folding, layer => layer.PlainForm))
        {
            var names = string.Join(" and ", layer.Fold.Followers.Select(module => $"'{module.Name}'"));
            _notes.Add($"{names} can't be folded into '{layer.Layer.Name}': the model's output would differ.");
            layer.Unfold();
        }
    }

    private void TimeLayers()
    {
        TrialLayer[] timed = [.. _layers.Where(layer => layer.IsPackable)];
        foreach (var layer in timed)
            layer.Watch(_options.MaximumSeconds / 2 / timed.Length);
        _example.Run();
        foreach (var layer in timed)
            layer.Watch(0);
    }

    private void Pack()
    {
        TrialLayer[] gaining = [.. _layers.Where(layer => IsForced(layer.Weight) || layer.Ratio <= Gain)];
        foreach (var layer in Suspects.Use(_example, gaining, _ => LayerForm.Packed))
            layer.Refusal = "the model's output would differ";
    }

    private void PutChannelsLast()
    {
        TrialLayer[] dense = [.. _layers.Where(layer => layer.Form != LayerForm.Packed && layer.BestForm == LayerForm.ChannelsLast)];
        if (!_options.ChannelsLast || dense.Length == 0)
            return;
        if (Suspects.Use(_example, dense, layer => layer.BestForm).Count > 0)
        {
            foreach (var layer in dense)
                layer.Form = layer.PlainForm;
            return;
        }

        var last = Forms();
        LayerForm[] first = [.. _layers.Select(layer => layer.Form == LayerForm.ChannelsLast ? layer.PlainForm : layer.Form)];
        var medians = _clock(_options.MaximumSeconds / 4, Way(first), Way(last));
        Set(medians[1] <= Gain * medians[0] ? last : first);
    }

    /// <summary>Leaves what isn't forced dense, if the model doesn't gain by it beside what is.</summary>
    private void TimeUnforced()
    {
        var settled = Forms();
        TrialLayer[] unforced = [.. _layers.Where(layer => layer.Form == LayerForm.Packed && !IsForced(layer.Weight))];
        if (unforced.Length == 0)
            return;
        LayerForm[] forced = [.. _layers.Select(layer => unforced.Contains(layer) ? layer.PlainForm : layer.Form)];
        var medians = _clock(_options.MaximumSeconds / 4, Way(forced), Way(settled));
        var isGain = medians[1] <= Gain * medians[0];
        Set(isGain ? settled : forced);
        if (!isGain)
            GiveUp(unforced, medians[1], medians[0], "only what is included is packed");
    }

    /// <summary>Times the whole model as it is, dense at its best, and as settled, and keeps what is fastest.</summary>
    private ModelTimes TimeModel()
    {
        var settled = Forms();
        LayerForm[] plain = [.. _layers.Select(_ => LayerForm.Dense)];
        LayerForm[] folded = [.. _layers.Select(layer => layer.PlainForm)];
        LayerForm[] best = [.. _layers.Select(layer => layer.BestForm)];
        Set(best);
        if (!_options.ChannelsLast || !_example.IsSame())
            best = folded;
        var medians = _clock(_options.MaximumSeconds / 4, Way(plain), Way(folded), Way(best), Way(settled));
        var dense = Math.Min(medians[1], medians[2]);
        var (denseForms, denseTime) = dense > Gain * medians[0] ? (plain, medians[0]) : (medians[2] < medians[1] ? best : folded, dense);
        if (_forced.Count == 0 && medians[3] > Gain * Math.Min(medians[0], dense))
        {
            GiveUp([.. _layers.Where(layer => layer.Form == LayerForm.Packed)], medians[3], denseTime, "none is packed");
            Set(denseForms);
            return new(medians[0], dense, denseTime);
        }

        Set(settled);
        return new(medians[0], dense, medians[3]);
    }

    private void GiveUp(TrialLayer[] losing, double packed, double dense, string rest)
    {
        if (losing.Length == 0)
            return;
        foreach (var layer in losing)
            layer.Refusal = "the model as a whole does not gain";
        _notes.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"The whole model takes {packed:0.000} ms with the packed layers, and {dense:0.000} ms without: {rest}."));
    }

    /// <summary>Leaves layers dense if code of the model reads their weights itself.</summary>
    private void CheckReaders()
    {
        TrialLayer[] changed = [.. _layers.Where(layer => layer.Form != LayerForm.Dense)];
        foreach (var layer in Suspects.Use(_example, changed, layer => layer.Hide(true), layer => layer.Hide(false)))
        {
            (layer.Form, layer.Refusal) = (LayerForm.Dense, "code of the model reads the weight itself");
        }

        foreach (var layer in changed)
            layer.Hide(false);
    }

    private LayerForm[] Forms() => [.. _layers.Select(layer => layer.Form)];

    private Action Way(LayerForm[] forms) => () =>
    {
        Set(forms);
        _example.Run();
    };

    private void Set(LayerForm[] forms)
    {
        foreach (var (layer, form) in _layers.Zip(forms))
            layer.Form = form;
    }
}
