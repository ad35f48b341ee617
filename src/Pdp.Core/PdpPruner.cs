using Pdp.Internal;
using Pdp.Masks;
using Pdp.Reporting;
using Pdp.Scheduling;
using Pdp.Selection;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>Prunes a model while it trains: PDP, parameter-free differentiable pruning (Cho, Adya, Naik, NeurIPS 2023).</summary>
/// <remarks>
/// <para>
/// Inside the scope that <see cref="Mask"/> opens, each pruned weight w is m·w, with the soft mask m = σ((w² − t²)/τ) of the threshold t that
/// splits the layer's magnitudes at the sparsity of the epoch. Behind the scope the weights are dense again, bit for bit, and their gradients
/// are ∂L/∂w = g·(m + (2w²/τ)·m(1 − m)), so that weights near the threshold get a second chance.
/// </para>
/// <para>
/// The order of a step is zero_grad, scope with forward and backward, clipping, optimizer step. The model's parameters, their names, the
/// optimizer and checkpoints stay as they are; the pruner borrows the model and owns one copy of the pruned weights. Make it after the
/// model has been moved to its device. Not thread safe. On CPU with one thread, results are the same bit for bit in every run.
/// </para>
/// </remarks>
public sealed class PdpPruner : IDisposable
{
#pragma warning disable CA2213 // The model is borrowed.
    private readonly Module _model;
#pragma warning restore CA2213
    private readonly PdpOptions _options;
    private readonly IReadOnlyList<SelectedLayer> _selected;
    private readonly List<(MaskedWeight Weight, LayerRule? Rule)> _layers;
    private readonly TargetPlanner _planner;
    private readonly PruningClock _clock;
    private readonly string _fingerprint;
    private readonly MisuseWatch _watch = new();
    private long _scopes;
    private bool _isInside;
    private bool _isPlanned;
    private bool _isDisposed;

    /// <summary>Attaches to a model; nothing changes until <see cref="Mask"/> is called.</summary>
    /// <param name="model">The model, on the device it will train on.</param>
    /// <param name="options">What to prune, how far, and when.</param>
    /// <exception cref="ArgumentException">
    /// The model has nothing to prune, a match matches nothing, the schedule ends after the run, or the target can't be met exactly.
    /// </exception>
    public PdpPruner(Module model, PdpOptions options)
    {
        _model = Guard.NotNull(model, nameof(model));
        _options = Guard.NotNull(options, nameof(options));
        _clock = new PruningClock(options);
        _selected = Resolve(LayerSelection.Select(model, options.Include, options.Exclude, options.Rules));
        _layers = [.. _selected.Where(layer => layer.DenseReason is null).Select(layer => (WeightOf(layer), layer.Rule))];
        if (_layers.Count == 0)
            throw new ArgumentException($"Every weight stays dense: {string.Join("; ", _selected.Select(layer => $"{layer.Info.Name}: {layer.DenseReason}"))}.", nameof(options));
        _planner = new TargetPlanner(options, _layers);
        _fingerprint = Fingerprint.Of(options, _layers);
    }

    /// <summary>The masks, one for each pruned weight, in the order of the model's parameters.</summary>
    public IReadOnlyList<PdpMask> Masks => [.. _layers.Select(layer => layer.Weight.Mask)];

    /// <summary>The schedule in force.</summary>
    public ISparsityScheduler Schedule => _options.EffectiveSchedule;

    /// <summary>The epoch of the last <see cref="BeginEpoch"/>; null before the first.</summary>
    public double? Epoch => _clock.Epoch;

    /// <summary>The fraction of the prunable weights that the masks remove now, in [0, 1).</summary>
    public double Sparsity =>
        _layers.Sum(layer => layer.Weight.Mask.RemovedWeights) / (double)_layers.Sum(layer => layer.Weight.Mask.Layout.Elements);

    /// <summary>Whether <see cref="Commit"/> has made the zeros final.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>Says what will happen to each weight.</summary>
    /// <exception cref="InvalidOperationException">A scope is open, or the model was moved.</exception>
    public PruningPlan Plan()
    {
        RequireUsable();
        var targets = _isPlanned ? [.. Masks.Select(mask => mask.Target)] : _planner.Plan();
        var removed = _layers.Zip(targets, (layer, target) => (layer.Weight.Mask, Removed: target * layer.Weight.Mask.WeightsPerRank))
            .ToDictionary(pair => pair.Mask.Name, pair => pair);
        return new()
        {
            Layers = [.. _selected.Select(layer => PlanOf(layer, removed.TryGetValue(layer.Info.Name, out var plan) ? plan : (null, 0)))],
            ModelParameters = ReportBuilder.ParametersOf(_model),
            IsFinal = _isPlanned,
        };
    }

    /// <summary>Sets the clock: the sparsity and the temperature of the steps that follow. Resuming is restoring and passing the right epoch.</summary>
    /// <param name="epoch">The epoch, counted from 0; fractional to move within an epoch, as in <c>epoch + step / (double)steps</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, not finite, or before the last one.</exception>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, a whole epoch went by without one, something went wrong inside the last one, the model was moved, or the first epoch is
    /// past the start of the schedule with no state restored.
    /// </exception>
    public void BeginEpoch(double epoch)
    {
        RequireUsable();
        _watch.RequireScopes(epoch, isPruning: Masks.Any(mask => mask.Removed > 0) && !IsCommitted);
        _clock.Begin(epoch, isPlanned: _isPlanned);
        if (_clock.HasStarted && !_isPlanned)
            Assign(_planner.Plan());
        Advance();
    }

    /// <summary>Reports the metric that <see cref="PdpOptions.AutomaticStart"/> waits for; once an epoch, after its steps.</summary>
    /// <param name="value">The metric, such as validation accuracy.</param>
    /// <exception cref="InvalidOperationException">The options have no automatic start.</exception>
    public void ReportMetric(double value)
    {
        RequireUsable();
        _clock.Report(value);
    }

    /// <summary>Masks the weights until the scope is disposed: around forward and backward in training, around evaluation under no_grad.</summary>
    /// <param name="form">What the weights are inside.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="BeginEpoch"/> was not called, a scope is open, something went wrong inside the last one, the model was moved, or a weight is
    /// not finite; the weights are dense then.
    /// </exception>
    public MaskScope Mask(MaskForm form = MaskForm.Soft)
    {
        if (!Enum.IsDefined(form))
            throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Soft, Folded or Raw.");
        RequireUsable();
        RequireEpoch(nameof(Mask));
        _watch.RequireBackwardInside(_layers.Select(layer => layer.Weight));

        var entered = 0;
        try
        {
            for (; entered < _layers.Count; entered++)
                _layers[entered].Weight.Enter(form);
        }
        catch
        {
            foreach (var (weight, _) in _layers.Take(entered))
                weight.Leave(out var _);
            throw;
        }

        _isInside = true;
        _watch.Enter();
        return new MaskScope(this, ++_scopes);
    }

    /// <summary>Makes the zeros final and says what has become of the model.</summary>
    /// <remarks>
    /// Exactly the planned number of weights are zero then, chosen by rank. Training may go on: the scope keeps the zeros and lets no gradient
    /// through to them. Call it again at the end, as momentum may move zeros between the scope and the optimizer's step.
    /// </remarks>
    /// <param name="form">What the kept weights become: m·w, which the last forward saw, or w.</param>
    /// <exception cref="ArgumentOutOfRangeException">The form is soft, which leaves no zeros.</exception>
    /// <exception cref="InvalidOperationException">
    /// The schedule has not reached its target, a scope is open, something went wrong inside the last one, the model was moved, or a weight is not
    /// finite; the weights are unchanged then.
    /// </exception>
    public PruningReport Commit(MaskForm form = MaskForm.Folded)
    {
        if (form is not (MaskForm.Folded or MaskForm.Raw))
            throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Folded or Raw.");
        RequireUsable();
        RequireEpoch(nameof(Commit));
        _clock.RequireEnded();
        if (_layers.Select(layer => layer.Weight).FirstOrDefault(weight => !weight.IsFinite()) is { } faulty)
            throw new InvalidOperationException($"'{faulty.Mask.Name}' holds NaN or infinity: reload the last good checkpoint before committing.");

        var before = IsCommitted ? null : Report();
        foreach (var (weight, _) in _layers)
            weight.Commit(form);
        IsCommitted = true;
        return ReportBuilder.AfterCommit(before, Report());
    }

    /// <summary>Says what has become of the model so far.</summary>
    /// <exception cref="InvalidOperationException"><see cref="BeginEpoch"/> was not called, a scope is open, or the model was moved.</exception>
    public PruningReport Report()
    {
        RequireUsable();
        RequireEpoch(nameof(Report));
        return ReportBuilder.Build(_model, [.. _layers.Select(layer => layer.Weight)], Epoch!.Value, _clock.HasEnded, IsCommitted);
    }

    /// <summary>What a checkpoint has to hold besides the model and the optimizer.</summary>
    /// <exception cref="InvalidOperationException">A scope is open, or the model was moved.</exception>
    public PrunerState GetState()
    {
        RequireUsable();
        return new()
        {
            Version = PrunerState.CurrentVersion,
            Fingerprint = _fingerprint,
            Options = Fingerprint.Describe(_options),
            Epoch = Epoch,
            StartedAt = _clock.StartedAt,
            ReportsAboveLevel = _clock.ReportsAboveLevel,
            Targets = _isPlanned ? Masks.ToDictionary(mask => mask.Name, mask => mask.Target) : null,
            IsCommitted = IsCommitted,
        };
    }

    /// <summary>Goes back to a state; load the weights that were saved with it first.</summary>
    /// <param name="state">The state, from a pruner with the same options on the same model.</param>
    /// <exception cref="ArgumentException">The state is of other options or of another model; nothing has changed then.</exception>
    /// <exception cref="InvalidOperationException">A scope is open, or the model was moved.</exception>
    public void Restore(PrunerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        RequireUsable();
        RequireFit(state);

        _watch.Reset();
        _clock.Restore(state);
        Assign(state.Targets is { } targets ? [.. Masks.Select(mask => targets[mask.Name])] : new long[_layers.Count]);
        _isPlanned = state.Targets is not null;
        Advance();
        IsCommitted = state.IsCommitted;
        foreach (var (weight, _) in _layers.Where(layer => layer.Weight.Mask.Removed > 0))
        {
            if (state.IsCommitted)
                weight.RestoreCommitted();
            else
                weight.Thaw();
        }
    }

    /// <summary>Closes an open scope and gives the copy of the weights back; the model stays as it is.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;

        Leave(_scopes);
        foreach (var (weight, _) in _layers)
            weight.Dispose();
        _isDisposed = true;
    }

    /// <summary>Ends the scope of a number, if it is the open one; never throws.</summary>
    internal void Leave(long number)
    {
        if (!_isInside || number != _scopes)
            return;

        _isInside = false;
        var gradients = false;
        foreach (var (weight, _) in _layers)
            gradients |= _watch.Leave(weight);
        _watch.Left(gradients);
    }

    private IReadOnlyList<SelectedLayer> Resolve(IReadOnlyList<SelectedLayer> layers) =>
        [.. layers.Select(layer => layer with { DenseReason = layer.DenseReason ?? StrategyOf(layer).Refusal(layer.Info.Layout) })];

    private IMaskStrategy StrategyOf(SelectedLayer layer) => layer.Rule?.Strategy ?? _options.Strategy;

    private MaskedWeight WeightOf(SelectedLayer layer) => new(
        layer.Parameter,
        new PdpMask(layer.Info.Name, layer.Info.Layout, StrategyOf(layer), layer.Rule?.Temperature ?? _options.EffectiveTemperature));

    private static PlannedLayer PlanOf(SelectedLayer layer, (PdpMask? Mask, long Removed) plan) => new(
        layer.Info.Name,
        layer.Info.Layout.ToString(),
        layer.Info.Layout.Elements,
        plan.Mask?.Strategy.Name,
        layer.Rule?.Match.ToString(),
        layer.DenseReason,
        plan.Removed);

    private void Assign(long[] targets)
    {
        foreach (var (layer, target) in _layers.Zip(targets))
            layer.Weight.Mask.Target = target;
        _isPlanned = true;
    }

    private void Advance()
    {
        foreach (var mask in Masks)
            mask.Advance(_isPlanned ? _clock.Fraction : 0, _clock.Time);
    }

    private void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_isInside)
            throw new InvalidOperationException("A mask scope is open: dispose it first, as in 'using (pruner.Mask()) { … }'; scopes don't nest.");
        foreach (var (weight, _) in _layers)
            weight.RequireAttached();
        _watch.ThrowFault();
    }

    private void RequireEpoch(string call)
    {
        if (Epoch is null)
            throw new InvalidOperationException($"The pruner doesn't know the epoch: call BeginEpoch(epoch) before {call}().");
    }

    private void RequireFit(PrunerState state)
    {
        if (state.Fingerprint != _fingerprint)
            throw new ArgumentException($"The state is of other options or of another model. It was saved with {state.Options}; this pruner has {Fingerprint.Describe(_options)} and prunes {string.Join(", ", Masks.Select(mask => mask.Name))}.", nameof(state));
    }
}
