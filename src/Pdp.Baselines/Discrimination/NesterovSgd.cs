using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Discrimination;

/// <summary>SGD with Nesterov momentum and coupled decay: u = g + λw, v ← μv + u, w ← w − η(u + μv).</summary>
internal sealed class NesterovSgd(DcpOptions options) : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Scalar _fall = (-options.LearningRate).ToScalar();
    private readonly Scalar _momentum = options.Momentum.ToScalar();
    private readonly Scalar _decay = options.WeightDecay.ToScalar();
    private readonly Dictionary<int, Tensor> _velocities = [];

    /// <summary>A step in place.</summary>
    /// <param name="weights">The weights, the same ones in every step, with their gradients; without one, a weight stays.</param>
    public void Step(IEnumerable<(Tensor Weight, Tensor? Gradient)> weights)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (index, (weight, gradient)) in weights.Index())
        {
            if (gradient is null)
                continue;
            if (!_velocities.TryGetValue(index, out var velocity))
                _velocities[index] = velocity = zeros_like(gradient).DetachFromDisposeScope();

            var pull = gradient.add(weight.mul(_decay), One);
            velocity.mul_(_momentum).add_(pull, One);
            weight.add_(pull.add_(velocity.mul(_momentum), One), _fall);
        }
    }

    public void Dispose()
    {
        foreach (var velocity in _velocities.Values)
            velocity.Dispose();
        _fall.Dispose();
        _momentum.Dispose();
        _decay.Dispose();
    }
}
