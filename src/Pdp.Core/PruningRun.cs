using Pdp.Allocation;
using Pdp.Channels.Shrinking;
using Pdp.Masking;
using Pdp.Options;
using Pdp.Reporting;
using Pdp.Saving;
using Pdp.Scheduling;
using Pdp.Watching;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>One run of a pruner: carries out the calls to <see cref="PdpPruner"/>, and checks that each is allowed at that point.</summary>
internal sealed class PruningRun : IDisposable
{
    private readonly double _epochs;
    private readonly MisuseWatch _watch;
    private readonly PrunerMeter _meter;
    private readonly ScopeGate _gate;
    private RunProgress _progress;
    private bool _isDisposed;

    public PruningRun(Module model, PdpOptions options)
    {
        (Options, _epochs) = (options, options.Epochs);
        var clock = new PruningClock(options.Times);
        Model = new PrunedModel(model, options);
        try
        {
            _progress = new RunProgress(Model, new TargetPlanner(options.Goal, Masked.Layers), options, clock, isPlanned: false);
            _watch = new MisuseWatch(Masked.Layers.Select(layer => layer.Group));
            _meter = new PrunerMeter(options.MetricsInterval, options.MetricsPerLayer);
            _gate = new ScopeGate(Masked, _watch, _meter);
            JitWarmup.Run(Masked);
        }
        catch
        {
            Model.Dispose();
            throw;
        }
    }

    /// <summary>The options in force.</summary>
    public PdpOptions Options { get; private set; }

    public PrunedModel Model { get; }

    /// <summary>The epoch of the clock; null before it is set.</summary>
    public double? Epoch => Clock.Epoch;

    public bool IsCommitted { get; private set; }

    public bool IsShrunk { get; private set; }

    private MaskedModel Masked => Model.Masked;
    private PruningClock Clock => _progress.Clock;

    public PruningPlan Plan()
    {
        RequireWhole();
        Model.RequireFittingMap();
        var plan = Model.Plan(_progress.Targets(), _progress.IsFinal);
        return _progress.Ahead(plan.Sparsity) is { } jump ? plan with { Warnings = [.. plan.Warnings, jump] } : plan;
    }

    /// <summary>Sets the clock.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="interval">The time until the next call, in epochs; null where it is not known.</param>
    public void Begin(double epoch, double? interval)
    {
        RequireUsable();
        if (Epoch is null || Math.Floor(epoch) > Epoch)
            Model.RequireSameParameters();
        if (Math.Floor(epoch) > Epoch)
        {
            RequireNoDeferredFault();
            if (!IsCommitted)
                Model.RequireMethodTrained(isFinal: false);
        }

        _watch.RequireScopes(epoch);
        _gate.TakeWeights();
        _progress.Begin(epoch, interval, IsCommitted);
        if (!IsCommitted)
            _watch.Refresh();
        _watch.Begin(epoch, Masked.IsPruning);
    }

    public void ReportMetric(double value)
    {
        RequireUsable();
        Clock.Report(value);
    }

    public long Mask(MaskForm form)
    {
        RequireUsable();
        Clock.RequireSet(nameof(PdpPruner.Mask));
        return _gate.Open(form);
    }

    public void Leave(long number) => _gate.Close(number);

    public PruningReport Commit(MaskForm form)
    {
        RequireWhole();
        Clock.RequireSet(nameof(PdpPruner.Commit));
        RequireNoDeferredFault();
        Masked.RequireFinite();
        if (!IsCommitted)
            Clock.RequireEnded();
        _watch.RequireMasked();
        if (!IsCommitted)
            Model.RequireMethodTrained(isFinal: true);

        _gate.TakeWeights();
        if (!IsCommitted)
            _progress.Finish();
        var before = IsCommitted ? null : ReportBuilder.Softness(Masked.Layers);
        Masked.Commit(form);
        IsCommitted = true;
        _watch.Committed(Epoch!.Value);
        return Report(before);
    }

    public IReadOnlyDictionary<string, Tensor> GetMasks()
    {
        RequireWhole();
        if (!IsCommitted)
            throw new InvalidOperationException("The masks are not final: call Commit() before GetMasks().");
        return Model.CommittedMasks();
    }

    public ShrinkReport Shrink(Func<IReadOnlyList<Tensor>> forward)
    {
        RequireWhole();
        if (Options.Channels is null)
            throw new InvalidOperationException(
                "Shrink() needs a channel map: set PdpOptions.Channels = ChannelMap.Find(model, example), Strategy = new PerChannel().");
        if (!IsCommitted)
            throw new InvalidOperationException("The zeros are not final: call Commit() before Shrink().");

        Model.RequireFittingMap();
        _watch.RequireMasked();

        // Committing again zeroes the removed weights once more, as the optimizer may have moved them since the last commit.
        var report = Shrinker.Shrink(Model.Module, Model.KeptChannels(), () => Masked.Commit(MaskForm.Raw), forward);
        IsShrunk = true;
        _gate.ReleaseWeights();
        return report;
    }

    public PruningReport Report()
    {
        RequireWhole();
        Clock.RequireSet(nameof(PdpPruner.Report));
        return Report(before: null);
    }

    public PrunerState GetState()
    {
        RequireWhole();
        OptionChecks.RequireResumable(Options);
        return new()
        {
            Version = PrunerState.CurrentVersion,
            Settings = Settings(Options),
            Layers = Model.Settings(Options),
            Epochs = _epochs,
            ScheduledEpochs = Options.Epochs,
            Epoch = Epoch,
            Interval = Clock.Interval,
            StartedAt = Clock.StartedAt,
            IsIntervalGiven = Clock.IsIntervalGiven,
            IsStartForced = Clock.IsStartForced,
            TrainingScopes = _watch.TrainingScopes,
            ReportsAboveLevel = Clock.ReportsAboveLevel,
            Targets = _progress.IsPlanned ? Masked.Masks.ToDictionary(mask => mask.Name, mask => mask.Target) : null,
            IsCommitted = IsCommitted,
            Masks = IsCommitted ? StateFit.PackedMasks(Masked.Layers) : null,
            Importance = StateFit.LearnedImportance(Masked.Masks),
            Weights = Masked.Layers.ToDictionary(layer => layer.Mask.Name, StateFit.HashOf),
        };
    }

    public void Restore(PrunerState state, bool allowLongerRun)
    {
        RequireWhole();
        OptionChecks.RequireResumable(Options);
        Model.RequireFittingMap();
        StateChecks.RequireSound(state);
        using var scope = NewDisposeScope();
        var options = Options with { Epochs = state.ScheduledEpochs };
        StateFit.RequireSameRun(state, Settings(options), Model.Settings(options), _epochs, allowLongerRun);
        // A run of another length may divide the sparsity in another way by default.
        var planner = options.Goal == Options.Goal ? _progress.Planner : new TargetPlanner(options.Goal, Masked.Layers);
        var saved = new SavedRun(state, options.Times, options.Goal, planner, Masked.Layers);

        (Options, _progress) = (options, new RunProgress(Model, planner, options, saved.Clock, isPlanned: state.Targets is not null));
        IsCommitted = state.IsCommitted;
        Masked.SetTargets(saved.Targets);
        Model.SetTemperatures(options);
        Masked.Advance(IsCommitted ? 1 : Clock.Fraction, Clock.TemperatureTime);
        saved.Restore();
        _ = Masked.TakeDeferredFault();
        _watch.Restore(state.TrainingScopes, IsCommitted);
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _gate.Dispose();
        _watch.Dispose();
        _meter.Dispose();
        Model.Dispose();
        _isDisposed = true;
    }

    /// <summary>Reports the current state, with the masks' softness before the commit that is reported; null measures it.</summary>
    private PruningReport Report(Softness[]? before) => Model.Report(before, Epoch!.Value, Clock.HasEnded, IsCommitted, _progress.Warnings);

    private Dictionary<string, string> Settings(PdpOptions options) =>
        RunSettings.Of(options.Times, options.Goal, options.Importance, Masked.Layers);

    private void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(PdpPruner));
        if (IsShrunk)
            throw new InvalidOperationException("The model has been shrunk, which ends this pruner's work: make a new one to prune on.");
        _gate.RequireClosed();
        Masked.RequireAttached();
        _watch.ThrowFault();
    }

    /// <summary>Also checks that each name still refers to its parameter, which takes too long to do in every step.</summary>
    private void RequireWhole()
    {
        RequireUsable();
        Model.RequireSameParameters();
    }

    /// <summary>Checks that devices other than the CPU have seen no fault in the steps so far; waits for them.</summary>
    private void RequireNoDeferredFault()
    {
        _watch.Note(Masked.TakeDeferredFault());
        _watch.ThrowFault();
    }
}
