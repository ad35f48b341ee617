using System.Globalization;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Options;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>Prunes a model while it trains: PDP, parameter-free differentiable pruning (Cho, Adya, Naik, NeurIPS 2023).</summary>
/// <remarks>
/// <para>
/// Inside the scope that <see cref="Mask"/> opens, each pruned weight w is m·w, with the soft mask m = σ((w² − t²)/τ) of the threshold t
/// that splits the layer's magnitudes at the sparsity of the epoch. After the scope the weights are dense again, bit for bit, and their
/// gradients are ∂L/∂w = g·(m + (2w²/τ)·m(1 − m)), so that weights near the threshold get a second chance.
/// </para>
/// <para>
/// The order of a step is zero_grad, scope with forward and backward, clipping, optimizer step. The model's parameters, their names, the
/// optimizer and checkpoints stay the same; the pruner borrows the model and owns one copy of the pruned weights. Make it after the
/// model has been moved to its device. Not thread safe. On a CPU with one thread, results are bit for bit the same in every run.
/// </para>
/// </remarks>
public sealed class PdpPruner : IDisposable
{
    private readonly PruningRun _run;

    /// <summary>Attaches to a model; nothing changes until <see cref="Mask"/> is called.</summary>
    /// <param name="model">The model, on the device it will train on.</param>
    /// <param name="options">What to prune, how far, and when.</param>
    /// <exception cref="ArgumentException">
    /// The model has nothing to prune, a match matches nothing, a rule or an include has no effect, a parameter that would be masked shares
    /// memory with another one or was created under <c>inference_mode</c>, the channel map belongs to another model or no strategy uses
    /// it, the schedule ends after the run, the target can't be met exactly, or <see cref="PdpOptions.Method"/> doesn't support what the
    /// options ask for.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A weight is not finite, or the allocation violates the total or the bounds that it is given.
    /// </exception>
    public PdpPruner(Module model, PdpOptions options) =>
        _run = new(Guard.NotNull(model, nameof(model)), OptionChecks.InForce(Guard.NotNull(options, nameof(options))));

    /// <summary>The masks, one for each pruned weight, in the order of the model's parameters.</summary>
#pragma warning disable CA1721 // These are the rules that masks follow; GetMasks gives the masks themselves.
    public IReadOnlyList<PdpMask> Masks => _run.Model.Masked.Masks;
#pragma warning restore CA1721

    /// <summary>The schedule in force.</summary>
    public ISparsityScheduler Schedule => _run.Options.EffectiveSchedule;

    /// <summary>The allocation in force.</summary>
    public ISparsityAllocation Allocation => _run.Options.EffectiveAllocation;

    /// <summary>The epoch of the last <see cref="BeginEpoch(double)"/>; null before the first.</summary>
    public double? Epoch => _run.Epoch;

    /// <summary>The parameters that <see cref="PdpOptions.Method"/> learns besides the weights, for the optimizer; empty for PDP.</summary>
    /// <remarks>
    /// Masks depend on them, so <see cref="BeginEpoch(double)"/> and <see cref="Commit"/> throw if they get gradients but no optimizer
    /// moves them. They live as long as the pruner: to train on after disposing it, make a new optimizer.
    /// </remarks>
    public IReadOnlyList<NamedParameter> Parameters => _run.Model.MethodParameters;

    /// <summary>The fraction of the prunable weights that the masks currently remove, in [0, 1).</summary>
    public double Sparsity => _run.Model.Masked.Sparsity;

    /// <summary>Whether <see cref="Commit"/> has made the zeros final.</summary>
    public bool IsCommitted => _run.IsCommitted;

    /// <summary>Whether <see cref="Shrink(Func{Tensor})"/> has made the model smaller.</summary>
    public bool IsShrunk => _run.IsShrunk;

    /// <summary>Makes the plan for each weight.</summary>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, the model was moved or no longer fits the channel map, or a weight is not finite.
    /// </exception>
    public PruningPlan Plan() => _run.Plan();

    /// <summary>Sets the clock before a training step: the sparsity and the temperature of the step.</summary>
    /// <remarks>
    /// The last step of the run always reaches the whole target, so that it can be committed. To resume, restore the state and continue.
    /// </remarks>
    /// <param name="epoch">The epoch, counted from 0.</param>
    /// <param name="step">The step within the epoch, in [0, steps).</param>
    /// <param name="steps">The number of steps in an epoch, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The epoch is negative, the step is out of range, there are no steps, or the time is before that of the last call.
    /// </exception>
    /// <inheritdoc cref="BeginEpoch(double)" path="/exception[@cref='InvalidOperationException']"/>
    public void BeginEpoch(int epoch, long step, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (step < 0 || step >= steps)
            throw Guard.Outside(nameof(step), step, string.Create(CultureInfo.InvariantCulture, $"[0, {steps})"));
        _run.Begin(epoch + (step / (double)steps), interval: 1.0 / steps);
    }

    /// <summary>
    /// Sets the clock: the sparsity and the temperature of the steps that follow. To resume, restore the state and pass the right epoch.
    /// </summary>
    /// <remarks>
    /// One call per epoch is enough for a long ramp; in a short one the sparsity rises in large steps, and plan and report warn. If the
    /// masks have not reached the whole target by the end of the run, the commit takes them there; under a method it refuses a lone call.
    /// </remarks>
    /// <param name="epoch">The epoch, counted from 0; fractional within an epoch, as in <c>epoch + step / (double)steps</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, 2^31 or more, or before the last one.</exception>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, a whole epoch passed without one, there was an error inside the last one, the model was moved, another pruner that
    /// is not disposed prunes one of the weights, the first epoch is past the start of the schedule, or past the first that an automatic
    /// start allows, with no state restored, a weight is not finite or has had no gradient for the <see cref="PdpOptions.Importance"/> when
    /// pruning begins, or no optimizer moves the <see cref="Parameters"/>.
    /// </exception>
    public void BeginEpoch(double epoch) => _run.Begin(epoch, interval: null);

    /// <summary>
    /// Reports the metric that <see cref="PdpOptions.AutomaticStart"/> waits for; call it once per epoch, after its steps.
    /// </summary>
    /// <param name="value">The metric, such as validation accuracy.</param>
    /// <exception cref="InvalidOperationException">
    /// The options have no automatic start, a scope is open, or the model was moved.
    /// </exception>
    public void ReportMetric(double value) => _run.ReportMetric(value);

    /// <summary>
    /// Masks the weights until the scope is disposed; use it around forward and backward in training, and around evaluation under no_grad.
    /// </summary>
    /// <param name="form">The form of the weights inside the scope.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="form"/> is not a defined value.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="BeginEpoch(double)"/> was not called, a scope is open, there was an error inside the last one, the model was moved, or a
    /// weight is not finite; the weights are then dense.
    /// </exception>
    public MaskScope Mask(MaskForm form = MaskForm.Soft) => Enum.IsDefined(form)
        ? new MaskScope(this, _run.Mask(form))
        : throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Soft, Folded or Raw.");

    /// <summary>Makes the zeros final and reports the current state of the model.</summary>
    /// <remarks>
    /// Afterwards exactly the planned number of weights, chosen by rank, are zero. Training may continue, within
    /// <see cref="Mask"/> as before: the scope keeps the zeros and passes no gradient to them. Call it again at the end, as momentum may
    /// move zeros in the optimizer's step.
    /// </remarks>
    /// <param name="form">The values of the kept weights: m·w, as in the last forward pass, or w.</param>
    /// <exception cref="ArgumentOutOfRangeException">The form is soft, which leaves no zeros.</exception>
    /// <exception cref="InvalidOperationException">
    /// The schedule has not reached its target and the run is not over, the last steps were made without a scope, a scope is open, there
    /// was an error inside the last one, the model was moved, a weight is not finite, or no optimizer has moved the
    /// <see cref="Parameters"/>; the weights are then unchanged.
    /// </exception>
    public PruningReport Commit(MaskForm form = MaskForm.Folded) => form is MaskForm.Folded or MaskForm.Raw
        ? _run.Commit(form)
        : throw new ArgumentOutOfRangeException(nameof(form), form, "Must be Folded or Raw.");

    /// <summary>
    /// Returns the committed masks, for code that works on weights without the pruner: weight averages, custom optimizers, export.
    /// </summary>
    /// <remarks>
    /// Each pruned weight has one, even if it has lost nothing. With <see cref="PdpOptions.Channels"/>, so does everything that belongs to
    /// the channels: biases, scales and shifts of norms, and running statistics, which no optimizer has. The inputs of layers that read
    /// removed channels are not masked; shrinking removes them.
    /// </remarks>
    /// <returns>
    /// For each parameter or buffer, by name, a bool tensor of its shape on its device, true where an element is kept. They are the
    /// caller's.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="Commit"/> was not called, a scope is open, the model was moved, or it has been shrunk.
    /// </exception>
    public IReadOnlyDictionary<string, Tensor> GetMasks() => _run.GetMasks();

    /// <summary>Makes the model smaller in place by removing channels and everything that belongs to them.</summary>
    /// <param name="example">An input for the model, on which the outputs before and after are compared.</param>
    /// <exception cref="ArgumentException">The model doesn't take and return a single tensor: use the other overload.</exception>
    /// <inheritdoc cref="Shrink(Func{IReadOnlyList{Tensor}})" path="/remarks|/exception"/>
    public ShrinkReport Shrink(Tensor example)
    {
        ArgumentNullException.ThrowIfNull(example);
        return _run.Model.Module is Module<Tensor, Tensor> model
            ? Shrink(() => model.call(example))
            : throw new ArgumentException(
                "The model doesn't take and return a single tensor: call Shrink(() => model.call(…)).", nameof(example));
    }

    /// <summary>Makes a model smaller in place; for models that don't take and return a single tensor.</summary>
    /// <param name="forward">Calls the model in evaluation mode, with the same input each time, and returns its output.</param>
    /// <inheritdoc cref="Shrink(Func{IReadOnlyList{Tensor}})" path="/remarks|/exception"/>
    public ShrinkReport Shrink(Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        return _run.Shrink(() => [forward()]);
    }

    /// <summary>Makes a model smaller in place; for models with several outputs, all of which are compared.</summary>
    /// <remarks>
    /// Parameters keep their identity and get new shapes; the same class runs with fewer channels. The pruner's work is then done.
    /// Gradients are dropped, and an optimizer's state has the old shapes: make a new optimizer to train on, and cut the old one's state if
    /// you want to keep it (<see cref="ShrinkRecord.Slice"/>). Save the report's record with the weights. The outputs are compared on the
    /// given input, on random inputs like it, of another size if the model accepts them, and in training mode without dropout. As
    /// <paramref name="forward"/> runs on another thread, it must not wait for a lock that the caller holds.
    /// </remarks>
    /// <param name="forward">Calls the model in evaluation mode, with the same input each time, and returns its outputs.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="Commit"/> was not called, the last steps were made without a scope, the options have no channel map or one that no longer
    /// fits, the output would change, a scope is open, the model was moved, or it has been shrunk already; the model is then as before.
    /// </exception>
    public ShrinkReport Shrink(Func<IReadOnlyList<Tensor>> forward) => _run.Shrink(Guard.NotNull(forward, nameof(forward)));

    /// <summary>Reports the current state of the model.</summary>
    /// <exception cref="InvalidOperationException">
    /// <see cref="BeginEpoch(double)"/> was not called, a scope is open, or the model was moved.
    /// </exception>
    public PruningReport Report() => _run.Report();

    /// <summary>Gets the state that a checkpoint has to hold besides the model and the optimizer.</summary>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, the model was moved, or the options have a <see cref="PdpOptions.Method"/>, whose state can't be saved.
    /// </exception>
    public PrunerState GetState() => _run.GetState();

    /// <summary>Restores a state; load the weights that were saved with it first.</summary>
    /// <remarks>
    /// Every setting that determines targets and masks must be the same. Only <see cref="PdpOptions.Epochs"/> may grow, if allowed: the
    /// ramp, the annealing, the default allocation and the latest automatic start then stay those of the original run, and the new epochs
    /// come after them. Stretched over the longer run, they would fall behind, and pruned weights would come back.
    /// </remarks>
    /// <param name="state">The state, from a pruner with the same options on the same model.</param>
    /// <param name="allowLongerRun">Whether <see cref="PdpOptions.Epochs"/> may be larger than it was.</param>
    /// <exception cref="ArgumentException">
    /// The state is damaged, belongs to other options or another model, or the model's weights are not those that were saved with it;
    /// nothing is changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A scope is open, the model was moved, the options have a <see cref="PdpOptions.Method"/>, or a weight is not finite and the longer
    /// run would divide the sparsity in another way; nothing is changed then.
    /// </exception>
    public void Restore(PrunerState state, bool allowLongerRun = false) =>
        _run.Restore(Guard.NotNull(state, nameof(state)), allowLongerRun);

    /// <summary>Whether some pruner's mask scope is open on weights of a model, so that they are the masked ones for the moment.</summary>
    /// <param name="model">The model.</param>
    public static bool IsMasking(Module model) =>
        Ownership.Of(Guard.NotNull(model, nameof(model)).parameters().Where(Footprint.IsKnown)).OfType<ScopeGate>()
            .Any(gate => gate.IsOpen);

    /// <summary>Closes an open scope and releases the copy of the weights; the model stays as it is.</summary>
    public void Dispose() => _run.Dispose();

    /// <summary>Ends the scope with a number, if it is the open one; never throws.</summary>
    internal void Leave(long number) => _run.Leave(number);
}
