using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>SGD with momentum and coupled decay by plain tensor operations, whose Scalars are kept as long as it is.</summary>
internal sealed class Sgd(IEnumerable<(string Name, Parameter Parameter)> parameters, double learningRate, double momentum, double decay)
    : IDisposable
{
    private readonly (string Name, Parameter Parameter)[] _parameters = [.. parameters];
    private readonly Scalar _momentum = momentum;
    private readonly Scalar _decay = decay;
    private readonly Scalar _one = 1.0;
    private readonly Dictionary<string, Tensor> _velocities = [];

    public Sgd(nn.Module model, double learningRate, double momentum, double decay)
        : this(model.named_parameters(), learningRate, momentum, decay)
    {
    }

    public double LearningRate { get; set; } = learningRate;

    /// <summary>v ← μ·v + ∂L/∂w + λ·w and w ← w − η·v; gradients are zero then.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar rate = -LearningRate;
        foreach (var (name, parameter) in _parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            if (!_velocities.TryGetValue(name, out var velocity))
                _velocities[name] = velocity = parameter.zeros_like().DetachFromDisposeScope();
            velocity.mul_(_momentum).add_(gradient, _one).add_(parameter, _decay);
            parameter.add_(velocity, rate);
            gradient.zero_();
        }
    }

    public void Dispose()
    {
        foreach (var velocity in _velocities.Values)
            velocity.Dispose();
        foreach (var scalar in new[] { _momentum, _decay, _one })
            scalar.Dispose();
    }
}
