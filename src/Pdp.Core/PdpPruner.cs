using System.Globalization;
using Pdp.Allocation;
using Pdp.Channels.Shrinking;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Reporting;
using Pdp.Saving;
using Pdp.Scheduling;
using Pdp.Watching;
using static TorchSharp.torch;
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
    private readonly PrunedModel _model;
    private readonly TargetPlanner _planner;
    private readonly double _epochs;
    private readonly MisuseWatch _watch;
    private PdpOptions _options;
    private PruningClock _clock;
    private RampWatch _ramp;
    private long _scopes;
    private bool _hasWeights;
    private bool _isInside;
    private bool _isPlanned;
    private bool _isDisposed;

    /// <summary>Attaches to a model; nothing changes until <see cref="Mask"/> is called.</summary>
    /// <param name="model">The model, on the device it will train on.</param>
    /// <param name="options">What to prune, how far, and when.</param>
    /// <exception cref="ArgumentException">
    /// The model has nothing to prune, a match matches nothing, a rule or an include has no effect, a parameter that would be masked shares memory with
    /// another one, the channel map is of another model, the schedule ends after the run, the target can't be met exactly, or <see cref="PdpOptions.Method"/> doesn't define what the options
    /// ask for.
    /// </exception>
    /// <exception cref="InvalidOperationException">A weight is not finite, or the allocation doesn't keep to the total or the bounds that it is given.</exception>
    public PdpPruner(Module model, PdpOptions options)
    {
        _options = options = InForce(Guard.NotNull(options, nameof(options)));
        _epochs = options.Epochs;
        _clock = new PruningClock(options);
        _model = new PrunedModel(Guard.NotNull(model, nameof(model)), options);
        try
        {
            _planner = new TargetPlanner(options, _model.Layers);
            _ramp = new RampWatch(options.EffectiveSchedule, options.Epochs);
            _watch = new MisuseWatch(_model.Layers.Select(layer => layer.Weight));
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    /// <summary>The masks, one for each pruned weight, in the order of the model's parameters.</summary>
#pragma warning disable CA1721 // These are the rules that masks follow; GetMasks gives the masks themselves.
    public IReadOnlyList<PdpMask> Masks => _model.Masks;
#pragma warning restore CA1721

    /// <summary>The schedule in force.</summary>
    public ISparsityScheduler Schedule => _options.EffectiveSchedule;

    /// <summary>The epoch of the last <see cref="BeginEpoch(double)"/>; null before the first.</summary>
    public double? Epoch => _clock.Epoch;

    /// <summary>What <see cref="PdpOptions.Method"/> learns besides the weights, to be given to the optimizer; PDP has nothing of the kind.</summary>
    /// <remarks>Masks follow them, so that <see cref="BeginEpoch(double)"/> and <see cref="Commit"/> refuse what training pulls at and no optimizer moves.</remarks>
    public IReadOnlyList<NamedParameter> Parameters => _model.MethodParameters;

    /// <summary>The fraction of the prunable weights that the masks remove now, in [0, 1).</summary>
    public double Sparsity => _model.Sparsity;

    /// <summary>Whether <see cref="Commit"/> has made the zeros final.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>Whether <see cref="Shrink(Func{Tensor})"/> has made the model smaller.</summary>
    public bool IsShrunk { get; private set; }

    /// <summary>Says what will happen to each weight.</summary>
    /// <exception cref="InvalidOperationException">A scope is open, the model was moved or no longer fits the channel map, or a weight is not finite.</exception>
    public PruningPlan Plan()
    {
        RequireWhole();
        RequireFittingMap();
        var plan = _model.Plan(_isPlanned ? [.. Masks.Select(mask => mask.Target)] : _planner.Plan(), isFinal: _isPlanned || !_planner.NeedsWeights);
        return _clock.IsCoarse && _options.AutomaticStart is null && _ramp.WillHappen(plan.Sparsity) is { } jump
            ? plan with { Warnings = [.. plan.Warnings, jump] }
            : plan;
    }

    /// <summary>Sets the clock before a training step: the sparsity and the temperature of the step.</summary>
    /// <remarks>In the last step of the run the whole target is asked for, so that it can be committed. Resuming is restoring and going on.</remarks>
    /// <param name="epoch">The epoch, counted from 0.</param>
    /// <param name="step">The step within the epoch, in [0, steps).</param>
    /// <param name="steps">The steps of an epoch, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, the step is outside, there are no steps, or the time is before the last one.</exception>
    /// <inheritdoc cref="BeginEpoch(double)" path="/exception[@cref='InvalidOperationException']"/>
    public void BeginEpoch(int epoch, long step, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (step < 0 || step >= steps)
            throw Guard.Outside(nameof(step), step, string.Create(CultureInfo.InvariantCulture, $"[0, {steps})"));
        Begin(epoch + (step / (double)steps), interval: 1.0 / steps);
    }

    /// <summary>Sets the clock: the sparsity and the temperature of the steps that follow. Resuming is restoring and passing the right epoch.</summary>
    /// <remarks>
    /// Once an epoch is enough where the ramp is long; otherwise the sparsity rises in large steps, of which plan and report warn. What of the target
    /// has not been asked for by the end of the run is asked for by the commit.
    /// </remarks>
    /// <param name="epoch">The epoch, counted from 0; fractional to move within an epoch, as in <c>epoch + step / (double)steps</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, 2^31 or more, or before the last one.</exception>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, a whole epoch went by without one, something went wrong inside the last one, the model was moved, another pruner that is
    /// not disposed prunes one of the weights, the first epoch is past the start of the schedule with no state restored, a weight is not finite
    /// when pruning begins, no gradient was seen by the <see cref="PdpOptions.Importance"/> until then, or no optimizer moves the <see cref="Parameters"/>.
    /// </exception>
    public void BeginEpoch(double epoch) => Begin(epoch, interval: null);

    /// <summary>Reports the metric that <see cref="PdpOptions.AutomaticStart"/> waits for; once an epoch, after its steps.</summary>
    /// <param name="value">The metric, such as validation accuracy.</param>
    /// <exception cref="InvalidOperationException">The options have no automatic start, a scope is open, or the model was moved.</exception>
    public void ReportMetric(double value)
    {
        RequireUsable();
        _clock.Report(value);
    }

    /// <summary>Masks the weights until the scope is disposed: around forward and backward in training, around evaluation under no_grad.</summary>
    /// <param name="form">What the weights are inside.</param>
    /// <exception cref="ArgumentOutOfRangeException">The form is none of the three.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="BeginEpoch(double)"/> was not called, a scope is open, something went wrong inside the last one, the model was moved, or a weight is
    /// not finite; the weights are dense then.
    /// </exception>
    public MaskScope Mask(MaskForm form = MaskForm.Soft)
    {
        if (!Enum.IsDefined(form))
            throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Soft, Folded or Raw.");
        RequireUsable();
        RequireEpoch(nameof(Mask));
        TakeWeights();
        _watch.RequireOrder(_model.IsPruning);

        _model.Enter(form);
        _isInside = true;
        _scopes++;
        try
        {
            _watch.Enter();
        }
        catch
        {
            // Nobody else has the scope to end it.
            Leave(_scopes);
            throw;
        }

        return new MaskScope(this, _scopes);
    }

    /// <summary>Makes the zeros final and says what has become of the model.</summary>
    /// <remarks>
    /// Exactly the planned number of weights are zero then, chosen by rank. Training may go on: the scope keeps the zeros and lets no gradient
    /// through to them. Call it again at the end, as momentum may move zeros between the scope and the optimizer's step.
    /// </remarks>
    /// <param name="form">What the kept weights become: m·w, which the last forward saw, or w.</param>
    /// <exception cref="ArgumentOutOfRangeException">The form is soft, which leaves no zeros.</exception>
    /// <exception cref="InvalidOperationException">
    /// The schedule has not reached its target and the run is not over, the last steps were made without a scope, a scope is open, something went wrong inside the last one, the model was moved, a weight is not
    /// finite, or no optimizer has moved the <see cref="Parameters"/>; the weights are unchanged then.
    /// </exception>
    public PruningReport Commit(MaskForm form = MaskForm.Folded)
    {
        if (form is not (MaskForm.Folded or MaskForm.Raw))
            throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Folded or Raw.");
        RequireWhole();
        RequireEpoch(nameof(Commit));
        RequireNoDeferredFault();
        foreach (var layer in _model.Layers)
            layer.Weight.RequireFinite();
        if (!IsCommitted)
        {
            _clock.RequireEnded();
            _watch.RequireMasked();
            _model.RequireMethodTrained(isFinal: true);
        }

        TakeWeights();
        FinishRun();
        var before = IsCommitted ? null : ReportBuilder.Softness(_model);
        foreach (var layer in _model.Layers)
            layer.Weight.Commit(form);
        IsCommitted = true;
        _watch.Accept();
        return Report(before);
    }

    /// <summary>The committed masks, for what works on weights without the pruner: averages of weights, optimizers of your own, export.</summary>
    /// <remarks>
    /// Each pruned weight has one, also if it has lost nothing. With <see cref="PdpOptions.Channels"/> so has all that goes with the channels: biases,
    /// scales and shifts of norms, running statistics. The inputs of layers that read removed channels are not masked; they go when the model is shrunk.
    /// </remarks>
    /// <returns>By the name of the parameter or buffer: a tensor of its shape, on its device, bool, true where an element is kept. They are the caller's.</returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="Commit"/> was not called, a scope is open, the model was moved, or it has been shrunk, which removes what the masks keep out.
    /// </exception>
    public IReadOnlyDictionary<string, Tensor> GetMasks()
    {
        RequireWhole();
        return IsCommitted
            ? _model.CommittedMasks()
            : throw new InvalidOperationException("The masks are not final: call Commit() before GetMasks().");
    }

    /// <summary>Makes the model smaller in place: its removed channels go, with everything that belongs to them.</summary>
    /// <param name="example">An input as the model takes it, to compare the outputs before and after on.</param>
    /// <exception cref="ArgumentException">The model doesn't take one tensor and give one: use the other overload.</exception>
    /// <inheritdoc cref="Shrink(Func{Tensor})" path="/remarks|/exception"/>
    public ShrinkReport Shrink(Tensor example)
    {
        ArgumentNullException.ThrowIfNull(example);
        return _model.Module is Module<Tensor, Tensor> model
            ? Shrink(() => model.call(example))
            : throw new ArgumentException("The model doesn't take one tensor and give one: call Shrink(() => model.call(…)).", nameof(example));
    }

    /// <summary>Makes a model that is called in a way of its own smaller in place.</summary>
    /// <remarks>
    /// Parameters keep their identity and get new shapes; the same class runs with fewer channels. The pruner's work is done then. Gradients are
    /// dropped, and an optimizer's state is of the old shapes: make a new one to train on, and cut the old one's state along if you will
    /// (<see cref="ShrinkRecord.Slice"/>). Save the report's record beside the weights. The outputs are compared on the given input, on random ones
    /// like it and of another size where the model takes them, and in training mode without dropout.
    /// </remarks>
    /// <param name="forward">Calls the model in evaluation mode and gives its output, with the same input each time.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="Commit"/> was not called, the options have no channel map or one that no longer fits, the output would change, a scope is open, the model was moved, or
    /// it has been shrunk already; the model is as before then.
    /// </exception>
    public ShrinkReport Shrink(Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        RequireWhole();
        if (_options.Channels is null)
            throw new InvalidOperationException("Which channels belong together is not known: set PdpOptions.Channels = ChannelMap.Find(model, example) and Strategy = new PerChannel() when making the pruner.");
        RequireFittingMap();
        if (!IsCommitted)
            throw new InvalidOperationException("The zeros are not final: call Commit() before Shrink().");

        var report = Shrinker.Shrink(_model.Module, _model.KeptChannels(), Silence, forward);
        IsShrunk = true;
        Ownership.Release(this);
        return report;
    }

    /// <summary>Says what has become of the model so far.</summary>
    /// <exception cref="InvalidOperationException"><see cref="BeginEpoch(double)"/> was not called, a scope is open, or the model was moved.</exception>
    public PruningReport Report()
    {
        RequireWhole();
        RequireEpoch(nameof(Report));
        return Report(before: null);
    }

    /// <summary>What a checkpoint has to hold besides the model and the optimizer.</summary>
    /// <exception cref="InvalidOperationException">A scope is open, the model was moved, or the options have a <see cref="PdpOptions.Method"/>, which remembers more.</exception>
    public PrunerState GetState()
    {
        RequireWhole();
        RequireResumable();
        return new()
        {
            Version = PrunerState.CurrentVersion,
            Settings = RunSettings.Of(_options, _model.Layers),
            Layers = _model.Settings(_options),
            Epochs = _epochs,
            ScheduledEpochs = _options.Epochs,
            Epoch = Epoch,
            Interval = _clock.Interval,
            StartedAt = _clock.StartedAt,
            IsIntervalGiven = _clock.IsIntervalGiven,
            IsStartForced = _clock.IsStartForced,
            TrainingScopes = _watch.TrainingScopes,
            ReportsAboveLevel = _clock.ReportsAboveLevel,
            Targets = _isPlanned ? Masks.ToDictionary(mask => mask.Name, mask => mask.Target) : null,
            IsCommitted = IsCommitted,
            Masks = IsCommitted ? StateFit.PackedMasks(_model.Layers) : null,
            Importance = StateFit.LearnedImportance(Masks),
            Weights = _model.Layers.ToDictionary(layer => layer.Mask.Name, StateFit.HashOf),
        };
    }

    /// <summary>Goes back to a state; load the weights that were saved with it first.</summary>
    /// <remarks>
    /// Every setting that decides about targets and masks must be as it was. Only <see cref="PdpOptions.Epochs"/> may grow, if that is allowed: the ramp,
    /// the annealing and the latest automatic start then stay those of the run as it began, and the new epochs come after them. Stretched over the
    /// longer run they would fall behind where they were, and pruned weights would come back.
    /// </remarks>
    /// <param name="state">The state, from a pruner with the same options on the same model.</param>
    /// <param name="allowLongerRun">Whether <see cref="PdpOptions.Epochs"/> may be more than it was.</param>
    /// <exception cref="ArgumentException">
    /// The state is damaged, of other options or of another model, or the model's weights are not those that were saved with it; nothing has
    /// changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">A scope is open, the model was moved, or the options have a <see cref="PdpOptions.Method"/>.</exception>
    public void Restore(PrunerState state, bool allowLongerRun = false)
    {
        ArgumentNullException.ThrowIfNull(state);
        RequireWhole();
        RequireResumable();
        RequireFittingMap();
        StateChecks.RequireSound(state);
        using var scope = NewDisposeScope();
        var options = _options with { Epochs = state.ScheduledEpochs };
        StateFit.RequireSameRun(state, options, _epochs, _model, allowLongerRun);
        var clock = PruningClock.Of(state, options);
        var targets = StateFit.Targets(state, Masks);
        var kept = StateFit.Kept(state, Masks, targets);
        var sensitivities = StateFit.Sensitivities(state, _model.Layers);
        if (state.Targets is not null)
            _planner.RequirePossible(targets);
        StateFit.RequireWeights(state, _model.Layers);

        (_options, _clock, _ramp) = (options, clock, new RampWatch(options.EffectiveSchedule, options.Epochs));
        _isPlanned = state.Targets is not null;
        IsCommitted = state.IsCommitted;
        _model.SetTargets(targets);
        _model.SetTemperatures(options);
        _model.Advance(IsCommitted ? 1 : _clock.Fraction, _clock.TemperatureTime);
        foreach (var (layer, mask) in _model.Layers.Zip(kept))
            layer.Weight.Restore(mask);
        foreach (var (layer, sensitivity) in _model.Layers.Zip(sensitivities))
            layer.Mask.Importance?.Restore(sensitivity?.to(layer.Weight.Parameters[0].device), state.Importance?.GetValueOrDefault(layer.Mask.Name)?.Gradients ?? 0);
        _watch.Restore(state.TrainingScopes);
    }

    /// <summary>Closes an open scope and gives the copy of the weights back; the model stays as it is.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;

        Leave(_scopes);
        Ownership.Release(this);
        _watch.Dispose();
        _model.Dispose();
        _isDisposed = true;
    }

    /// <summary>Ends the scope of a number, if it is the open one; never throws.</summary>
    internal void Leave(long number)
    {
        if (!_isInside || number != _scopes)
            return;

        _isInside = false;
        _watch.LeaveWitnesses();
        _model.LeaveFused();
        var gradients = false;
        // Backwards: where two masks share a norm, the first in holds its earlier gradient.
        for (var i = _model.Layers.Length - 1; i >= 0; i--)
            gradients |= _watch.Leave(_model.Layers[i].Weight);
        _watch.Left(gradients);
    }

    /// <summary>Says what has become of the model, with the softness that the masks had before a commit, or else have now.</summary>
    private PruningReport Report(Softness[]? before)
    {
        string?[] warnings = [_ramp.Happened(), _clock.ForcedStart()];
        return ReportBuilder.Build(_model, before, Epoch!.Value, _clock.HasEnded, IsCommitted, warnings.OfType<string>());
    }

    /// <summary>Sets the clock.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null where it is not known.</param>
    private void Begin(double epoch, double? interval)
    {
        RequireUsable();
        if (Epoch is null || Math.Floor(epoch) > Epoch)
            _model.RequireSameParameters();
        if (Math.Floor(epoch) > Epoch)
        {
            RequireNoDeferredFault();
            if (!IsCommitted)
                _model.RequireMethodTrained(isFinal: false);
        }

        _watch.RequireScopes(epoch);
        TakeWeights();
        var before = (_clock.Time, _clock.Fraction);
        var isFirst = Epoch is null;
        _clock.Begin(epoch, interval, _isPlanned);
        if (_clock.HasStarted && !_isPlanned)
            SetTargets();

        // What was committed stays as it is, and a method's counts are not those of the schedule.
        if (!IsCommitted)
        {
            _model.Advance(_clock.Fraction, _clock.TemperatureTime);
            _model.BeginMethod(epoch);
            _watch.Refresh();
            if (!isFirst)
                _ramp.Note(before, (_clock.Time, _clock.Fraction), epoch, _model.TargetSparsity, _clock.IsCoarse);
        }

        _watch.Begin(epoch, _model.IsPruning && !IsCommitted);
    }

    /// <summary>Asks for the whole target where the last step of the clock, set once an epoch, was not known to be the last.</summary>
    private void FinishRun()
    {
        if (IsCommitted || _clock.HasEnded)
            return;

        _clock.Finish();
        if (!_isPlanned)
            SetTargets();
        _model.Advance(_clock.Fraction, _clock.TemperatureTime);
    }

    /// <summary>Fixes what each mask removes in the end, by what the weights and their importance are now.</summary>
    private void SetTargets()
    {
        _model.RequireImportance();
        _model.SetTargets(_planner.Plan());
        _isPlanned = true;
    }

    /// <summary>Takes the weights for this pruner alone, once.</summary>
    private void TakeWeights()
    {
        if (_hasWeights)
            return;

        Ownership.Take(this, _model.Layers.SelectMany(layer => layer.Weight.Parameters.Select(parameter => (layer.Mask.Name, parameter))));
        _hasWeights = true;
    }

    /// <summary>Makes what was removed zero again, as weights may have changed since the commit.</summary>
    private void Silence()
    {
        foreach (var layer in _model.Layers)
            layer.Weight.Commit(MaskForm.Raw);
    }

    private void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsShrunk)
            throw new InvalidOperationException("The model has been shrunk, which is the end of this pruner's work: make a new one to prune it further.");
        if (_isInside)
            throw new InvalidOperationException("A mask scope is open: dispose it first, as in 'using (pruner.Mask()) { … }'; scopes don't nest.");
        foreach (var layer in _model.Layers)
            layer.Weight.RequireAttached();
        _watch.ThrowFault();
    }

    /// <summary>Checks too that each name still stands for its parameter, which takes too long for a step.</summary>
    private void RequireWhole()
    {
        RequireUsable();
        _model.RequireSameParameters();
    }

    /// <summary>Checks that the model still has the shapes of the channel map, which a shrink record that is applied to it changes.</summary>
    private void RequireFittingMap()
    {
        if (_options.Channels?.Misfit(_model.Module) is { } misfit)
            throw new InvalidOperationException(misfit);
    }

    /// <summary>Asks devices other than the CPU what went wrong in the steps so far; waits for them.</summary>
    private void RequireNoDeferredFault()
    {
        foreach (var layer in _model.Layers)
            _watch.Note(layer.Weight.TakeDeferredFault());
        _watch.ThrowFault();
    }

    private static PdpOptions InForce(PdpOptions options)
    {
        if (options.Importance is { } importance)
            RequireFitting(options, importance);
        if (options.Method is not { } method)
            return options;

        return options.Temperature is null && options.Rules.All(rule => rule.Temperature is null)
            ? method.Configure(options)
            : throw new ArgumentException($"{method.Name} has no soft mask: leave PdpOptions.Temperature and those of rules unset.", nameof(options));
    }

    /// <summary>Checks what goes together with an importance.</summary>
    /// <exception cref="ArgumentException">Something doesn't.</exception>
    private static void RequireFitting(PdpOptions options, IImportance importance)
    {
        if (options.Method is { } method)
            throw new ArgumentException($"{method.Name} has its own way to rank weights: leave PdpOptions.Importance unset.", nameof(options));
        if (options.Rules.Select(rule => rule.Temperature).Append(options.Temperature).Any(temperature => temperature is { IsRelative: false }))
            throw new ArgumentException($"An absolute temperature is in units of weight², and the scores of {importance.Name} are not: use Temperature.Relative.", nameof(options));
    }

    private void RequireResumable()
    {
        if (_options.Method is { } method)
            throw new InvalidOperationException($"A run of {method.Name} remembers more than a pruner's state holds, and can't be resumed: train it in one go.");
    }

    private void RequireEpoch(string call)
    {
        if (Epoch is null)
            throw new InvalidOperationException($"The pruner doesn't know the epoch: call BeginEpoch(epoch) before {call}().");
    }
}
