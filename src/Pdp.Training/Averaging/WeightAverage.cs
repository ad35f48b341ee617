using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>An exponential moving average (EMA) of a model's weights and running statistics. It owns the averages.</summary>
/// <remarks>
/// After each step a ← d·a + (1 − d)·w, with decay d. During pruning it averages the dense weights; call <see cref="Swap"/> to
/// evaluate or commit the average in place of the weights. Averages of half-precision weights are float32. Tied weights have one average,
/// by their first name. Not thread-safe.
/// </remarks>
public sealed class WeightAverage : IDisposable
{
    private readonly (string Name, Tensor Live, Tensor Average)[] _pairs;
    private readonly Scalar _decay;
    private readonly Scalar _rest;
    private Tensor[]? _kept;

    /// <summary>Starts from the model's current weights.</summary>
    /// <param name="model">The model, on the device that it trains on: moving it replaces its parameters.</param>
    /// <param name="decay">The share of the average that each update keeps, in (0, 1).</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    /// <exception cref="ArgumentException">A weight or buffer is an expanded view, which an average can't replace.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="decay"/> is outside its range.</exception>
    public WeightAverage(nn.Module model, double decay)
    {
        ArgumentNullException.ThrowIfNull(model);
        Guard.Inside(decay, nameof(decay));
        KeyValuePair<string, Tensor>[] live = [.. model.state_dict().Where(entry => entry.Value.is_floating_point())];
        if (Array.Find(live, entry => ExpandedView.Is(entry.Value)).Key is { } name)
        {
            throw new ArgumentException($"'{name}' is an expanded view, which an average can't replace.", nameof(model));
        }

        _decay = decay.ToScalar();
        _rest = (1 - decay).ToScalar();
        using var noGrad = no_grad();
        _pairs =
        [
            .. live.DistinctBy(entry => TensorAddress.OfNative(entry.Value))
                .Select(entry => (entry.Key, entry.Value, Start(entry.Value))),
        ];
    }

    /// <summary>Whether the averages have replaced the weights.</summary>
    public bool IsSwapped => _kept is not null;

    /// <summary>Moves the averages towards the weights; call it after each step.</summary>
    /// <exception cref="InvalidOperationException">
    /// The averages are exchanged for the weights, or a weight was disposed or reshaped; nothing has changed then.
    /// </exception>
    public void Update()
    {
        if (IsSwapped)
        {
            throw new InvalidOperationException("The averages have replaced the weights: call Swap() first, to swap them back.");
        }

        RequireFit();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (_, live, average) in _pairs)
        {
            average.mul_(_decay).add_(live, _rest);
        }
    }

    /// <summary>Replaces the weights by the averages; a second call restores the weights, bit for bit.</summary>
    /// <exception cref="InvalidOperationException">A weight was disposed or reshaped; nothing has changed then.</exception>
    public void Swap()
    {
        RequireFit();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var isBack = IsSwapped;
        var from = _kept ?? [.. _pairs.Select(pair => pair.Average)];
        Tensor[] kept = isBack ? [] : [.. _pairs.Select(pair => pair.Live.detach().clone().DetachFromDisposeScope())];
        for (var i = 0; i < _pairs.Length; i++)
        {
            _pairs[i].Live.copy_(from[i]);
        }

        Forget();
        _kept = isBack ? null : kept;
    }

    /// <summary>The averages by the names of the weights, for a checkpoint.</summary>
    /// <returns>Tensors that this object owns, and that change with its next update; float32 for half-precision weights.</returns>
    public IReadOnlyDictionary<string, Tensor> GetState() =>
        _pairs.ToDictionary(pair => pair.Name, pair => pair.Average, StringComparer.Ordinal);

    /// <summary>Checks that averages fit the model.</summary>
    /// <param name="state">Averages by name.</param>
    /// <exception cref="ArgumentNullException"><paramref name="state"/> is null.</exception>
    /// <exception cref="ArgumentException">An average is missing, belongs to no weight, or has another shape or type.</exception>
    public void CheckState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var names = _pairs.Select(pair => pair.Name).ToHashSet(StringComparer.Ordinal);
        if (state.Keys.FirstOrDefault(name => !names.Contains(name)) is { } stranger)
        {
            throw new ArgumentException($"The model has nothing named '{stranger}' to average.", nameof(state));
        }

        foreach (var (name, _, average) in _pairs)
        {
            if (!state.TryGetValue(name, out var saved) || saved.dtype != average.dtype
                || !saved.shape.AsSpan().SequenceEqual(average.shape))
            {
                throw new ArgumentException($"The average of '{name}' is missing or has another shape or type.", nameof(state));
            }
        }
    }

    /// <summary>Restores averages that <see cref="GetState"/> returned.</summary>
    /// <param name="state">Averages by name; the caller keeps them.</param>
    /// <exception cref="ArgumentNullException"><paramref name="state"/> is null.</exception>
    /// <exception cref="ArgumentException">They don't fit; nothing has changed then.</exception>
    public void SetState(IReadOnlyDictionary<string, Tensor> state)
    {
        CheckState(state);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, _, average) in _pairs)
        {
            average.copy_(state[name]);
        }
    }

    /// <summary>Frees the averages. The model stays as it is, with the averages in it if they are exchanged.</summary>
    public void Dispose()
    {
        Forget();
        foreach (var (_, _, average) in _pairs)
        {
            average.Dispose();
        }

        _decay.Dispose();
        _rest.Dispose();
    }

    // Half-precision averages would stand still: an update is smaller than half a unit in their last place.
    private static Tensor Start(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var type = weight.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? ScalarType.Float32 : weight.dtype;
        return weight.detach().clone().to_type(type).DetachFromDisposeScope();
    }

    private void Forget()
    {
        foreach (var weight in _kept ?? [])
        {
            weight.Dispose();
        }

        _kept = null;
    }

    private void RequireFit()
    {
        foreach (var (name, live, average) in _pairs)
        {
            if (live.IsInvalid || average.IsInvalid || !live.shape.AsSpan().SequenceEqual(average.shape)
                || live.device_type != average.device_type || live.device_index != average.device_index)
            {
                throw new InvalidOperationException(
                    $"'{name}' was disposed or reshaped since its average was begun, as by moving or shrinking the model: "
                    + "begin a new average.");
            }
        }
    }
}
