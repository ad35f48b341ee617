using Pdp.Internal;
using Pdp.Training.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// An optimizer whose steps are safe from the garbage collector. TorchSharp 0.107's own optimizers create Scalars that the collector may
/// free while the native call reads them. One step in a few thousand then fails ("Expected false to be true", "Unknown scalar type") and
/// is left half applied. Here every Scalar is kept alive for as long as it is used.
/// </summary>
/// <remarks>
/// It replaces a stock optimizer: call <c>zero_grad()</c> and <c>step()</c> as before; TorchSharp's learning rate schedulers work with it
/// (<c>OneCycleLR</c> and <c>CyclicLR</c> with <c>cycle_momentum: false</c>).
/// Contiguous float32 parameters on the CPU are updated by libtorch's fused kernels, all in one call; others by tensor
/// operations. It owns its state, holds none of the caller's tensors except the parameters, and is not thread-safe.
/// After disposal all methods that use the state or the gradients throw <see cref="ObjectDisposedException"/>.
/// </remarks>
public abstract class FusedOptimizer : optim.Optimizer
{
    private readonly Slot[] _slots;
    private readonly NamedState _state;
    private bool _isDisposed;

    /// <summary>Prepares the slots of all parameters.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="learningRate">The learning rate of groups that don't set their own.</param>
    /// <param name="stateNames">The names of the tensors that the optimizer keeps for each parameter.</param>
    private protected FusedOptimizer(IEnumerable<ParameterGroup> groups, double learningRate, IReadOnlyList<string> stateNames)
        : base(IntPtr.Zero)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ParameterGroup[] given = [.. groups.Select(group => Guard.NotNull(group, nameof(groups)))];
        ParameterGroup.RequireDistinct(given);
        Groups = [.. given.Select(group => group.Copy(learningRate))];
        _slots =
        [
            .. Groups.SelectMany(group =>
                group.Parameters.Select(entry => new Slot(entry.Name, entry.Parameter, group, stateNames.Count))),
        ];
        _state = new NamedState(Groups, _slots, stateNames);
    }

    /// <summary>Copies of the groups that were given, each with its learning rate.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The learning rate of all groups.</summary>
    /// <value>In [0, ∞).</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    /// <exception cref="InvalidOperationException">The groups have different learning rates: read <see cref="Groups"/>.</exception>
    public double LearningRate
    {
        get => Groups.All(group => group.LearningRate == Groups[0].LearningRate)
            ? Groups[0].LearningRate
            : throw new InvalidOperationException("The groups have different learning rates: read those of Groups.");
        set
        {
            Guard.NotNegative(value);
            foreach (var group in Groups)
            {
                group.LearningRate = value;
            }
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<optim.ILearningRateController> ParamGroups => Groups;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> parameters() => _slots.Select(slot => slot.Parameter);

    /// <summary>Not supported: all groups are given at construction.</summary>
    /// <param name="param_group">A group.</param>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void add_param_group(ParamGroup param_group) =>
        throw new NotSupportedException("Give all groups to the constructor.");

    /// <summary>Sets all gradients to null, as PyTorch does by default; stock TorchSharp fills them with zeros.</summary>
    /// <exception cref="InvalidOperationException">
    /// A parameter was disposed since the optimizer was made, as by moving the model; nothing has changed then.
    /// </exception>
    public override void zero_grad()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        foreach (var slot in _slots)
        {
            slot.RequireAlive();
        }

        foreach (var slot in _slots)
        {
            slot.Parameter.grad = null;
        }
    }

    /// <summary>Takes one step; parameters without a gradient don't change.</summary>
    /// <param name="closure">Computes the loss and its gradients before the step; null if they have been computed already.</param>
    /// <returns>The closure's loss, which the caller owns; null if there is no closure.</returns>
    /// <exception cref="InvalidOperationException">
    /// A parameter was disposed, reshaped or converted since the optimizer was made, or a gradient does not fit it; nothing has
    /// changed then.
    /// </exception>
    public override Tensor step(Func<Tensor>? closure = null)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var loss = closure?.Invoke();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var part in Updates().ToLookup(update => update.IsFusible))
        {
            if (part.Key)
            {
                StepTogether(part);
            }
            else
            {
                StepEach(part);
            }
        }

        return loss!;
    }

    /// <summary>
    /// Copies the state for a checkpoint: <c>NAME.STATE</c> in the parameter's shape and type for each parameter that has taken a step,
    /// <c>NAME.step</c> (int64, []), <c>learning_rate</c> and <c>initial_learning_rate</c> (float64, [groups]).
    /// </summary>
    /// <returns>The tensors, which the caller owns.</returns>
    public IReadOnlyDictionary<string, Tensor> GetState()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _state.Copy();
    }

    /// <summary>Restores a state that <see cref="GetState"/> returned, from the same kind of optimizer over the same parameters.</summary>
    /// <param name="state">The state; the caller keeps its tensors. Parameters that it does not hold start afresh.</param>
    /// <exception cref="ArgumentNullException"><paramref name="state"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A tensor belongs to no parameter, is missing, or has another shape or type, or a number is out of range; nothing has changed then.
    /// </exception>
    public void SetState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _state.Load(state);
    }

    /// <summary>Checks a state as <see cref="SetState"/> does, without changing anything.</summary>
    /// <param name="state">The state; the caller keeps its tensors.</param>
    /// <exception cref="ArgumentNullException"><paramref name="state"/> is null.</exception>
    /// <exception cref="ArgumentException">The state does not fit, as described at <see cref="SetState"/>.</exception>
    public void CheckState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _state.Check(state);
    }

    /// <summary>Drops the state, as if no step had been taken; the learning rates are kept.</summary>
    public void ResetState()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        foreach (var slot in _slots)
        {
            slot.Replace([], 0);
        }
    }

    /// <summary>
    /// Multiplies the state by masks, so that no momentum is left to move weights that have been pruned for good.
    /// </summary>
    /// <param name="masks">Masks by the parameter's name, each in its parameter's shape: 0 or false where the weight is pruned.</param>
    /// <exception cref="ArgumentNullException"><paramref name="masks"/> is null.</exception>
    /// <exception cref="ArgumentException">A mask belongs to no parameter or has another shape; nothing has changed then.</exception>
    public void MaskState(IReadOnlyDictionary<string, Tensor> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _state.Mask(masks);
    }

    /// <summary>Updates parameters of one group, all at the same step, by one call of a fused kernel.</summary>
    private protected abstract void ApplyTogether(UpdateBatch batch);

    /// <summary>Updates one parameter by tensor operations.</summary>
    private protected abstract void ApplyAlone(Update update);

    /// <summary>Frees the state; the caller keeps the parameters.</summary>
    /// <param name="disposing">Whether it is called by <see cref="IDisposable.Dispose"/>.</param>
    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        if (disposing)
        {
            foreach (var slot in _slots)
            {
                slot.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>All parameters that have a gradient; checked before any of them changes.</summary>
    private List<Update> Updates()
    {
        var updates = new List<Update>(_slots.Length);
        foreach (var slot in _slots)
        {
            if (slot.Gradient() is { } gradient)
            {
                updates.Add(new Update(slot, gradient));
            }
        }

        return updates;
    }

    private void StepTogether(IEnumerable<Update> updates)
    {
        foreach (var part in updates.GroupBy(update => (update.Slot.Group, update.Slot.Steps)))
        {
            Update[] together = [.. part];
            var batch = new UpdateBatch(together);
            ApplyTogether(batch);
            FusedKernels.Touch(batch.Empties);
            Count(together);
        }
    }

    private void StepEach(IEnumerable<Update> updates)
    {
        foreach (var update in updates)
        {
            ApplyAlone(update);
            Count([update]);
        }
    }

    private static void Count(Update[] updates)
    {
        foreach (var update in updates)
        {
            update.Slot.Steps++;
        }
    }
}
