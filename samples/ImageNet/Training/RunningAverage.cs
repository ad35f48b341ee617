using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>An exponential moving average of a network's weights and running statistics. It owns the averages.</summary>
/// <remarks>Under pruning it averages the dense weights; what is masked, and committed in the end, is the average.</remarks>
internal sealed class RunningAverage : IDisposable
{
    private readonly (string Name, Tensor Live, Tensor Average)[] _pairs;
    private readonly Scalar _decay;
    private readonly Scalar _rest;

    /// <param name="model">The network, on the device it will train on.</param>
    /// <param name="decay">The share of the average that each update keeps, in (0, 1).</param>
    public RunningAverage(nn.Module model, double decay)
    {
        _decay = decay;
        _rest = 1 - decay;
        using var noGrad = no_grad();
        _pairs = [.. model.state_dict().Where(entry => entry.Value.is_floating_point())
            .Select(entry => (entry.Key, entry.Value, entry.Value.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>Moves the averages a little towards the network; after each step.</summary>
    public void Update()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (_, live, average) in _pairs)
        {
            average.mul_(_decay).add_(live, _rest);
        }
    }

    /// <summary>Puts the averages into the network, and what was there in their place; a second call takes that back.</summary>
    public void Exchange()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (_, live, average) in _pairs)
        {
            var kept = live.clone();
            live.copy_(average);
            average.copy_(kept);
        }
    }

    /// <summary>The averages by the names of what they average; they stay this object's.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State() => _pairs.Select(pair => KeyValuePair.Create(pair.Name, pair.Average));

    /// <summary>Checks that averages fit the network.</summary>
    /// <exception cref="InvalidDataException">One is missing, or of another shape or type.</exception>
    public void RequireFit(IReadOnlyDictionary<string, Tensor> state)
    {
        foreach (var (name, _, average) in _pairs)
        {
            if (!state.TryGetValue(name, out var saved) || !saved.shape.SequenceEqual(average.shape) || saved.dtype != average.dtype)
            {
                throw new InvalidDataException($"The running average of '{name}' is missing or of another shape.");
            }
        }
    }

    /// <summary>Takes averages as <see cref="State"/> gave them.</summary>
    /// <exception cref="InvalidDataException">They don't fit; nothing has changed then.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state)
    {
        RequireFit(state);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, _, average) in _pairs)
        {
            average.copy_(state[name]);
        }
    }

    public void Dispose()
    {
        foreach (var (_, _, average) in _pairs)
        {
            average.Dispose();
        }

        _decay.Dispose();
        _rest.Dispose();
    }
}
