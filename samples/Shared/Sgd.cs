using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>
/// Stochastic gradient descent with momentum, in the arithmetic of PyTorch's SGD. It owns its momentum buffers.
/// </summary>
/// <remarks>
/// TorchSharp 0.107's own optimizers make Scalars that the garbage collector may free while the native call reads them,
/// which fails one step in some thousands. Here every Scalar is kept for as long as it is used.
/// </remarks>
internal sealed class Sgd : IDisposable
{
    private readonly (string Name, Parameter Parameter)[] _parameters;
    private readonly Scalar?[] _weightDecays;
    private readonly Tensor?[] _buffers;
    private readonly bool _nesterov;
    private readonly Scalar _momentum;
    private readonly Scalar _one = 1.0;
    private readonly Scalar _zero = 0.0;
    private readonly bool _hasMomentum;

    public Sgd(
        IEnumerable<(string Name, Parameter Parameter)> parameters,
        double learningRate,
        double momentum = 0,
        double weightDecay = 0,
        bool nesterov = false)
        : this([new ParameterGroup([.. parameters], weightDecay)], learningRate, momentum, nesterov)
    {
    }

    public Sgd(IEnumerable<ParameterGroup> groups, double learningRate, double momentum = 0, bool nesterov = false)
    {
        if (nesterov && momentum == 0)
        {
            throw new ArgumentException("Nesterov's step needs a momentum above 0: raise --momentum, or give --nesterov false.", nameof(nesterov));
        }

        ParameterGroup[] all = [.. groups];
        _parameters = [.. all.SelectMany(group => group.Parameters)];
        _weightDecays = [.. all.SelectMany(group => group.Parameters.Select(_ => group.WeightDecay == 0 ? null : (Scalar)group.WeightDecay))];
        _buffers = new Tensor?[_parameters.Length];
        _nesterov = nesterov;
        _momentum = momentum;
        _hasMomentum = momentum != 0;
        LearningRate = learningRate;
    }

    public double LearningRate { get; set; }

    /// <summary>Drops all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var (_, parameter) in _parameters)
        {
            parameter.grad = null;
        }
    }

    /// <summary>Takes one step; parameters without a gradient stay as they are.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Scalar step = -LearningRate;
        for (var i = 0; i < _parameters.Length; i++)
        {
            var parameter = _parameters[i].Parameter;
            if (parameter.grad is { } gradient)
            {
                parameter.add_(Direction(i, gradient), step);
            }
        }
    }

    /// <summary>Drops the momentum of single weights that are exactly zero, in the parameters of these names.</summary>
    public void ForgetWhereZero(IReadOnlySet<string> names)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        for (var i = 0; i < _parameters.Length; i++)
        {
            if (_buffers[i] is { } buffer && names.Contains(_parameters[i].Name))
            {
                buffer.mul_(_parameters[i].Parameter.ne(_zero));
            }
        }
    }

    /// <summary>Copies the momentum buffers, named after their parameters, for a checkpoint; they are the caller's.</summary>
    public Dictionary<string, Tensor> ExportState()
    {
        var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        for (var i = 0; i < _parameters.Length; i++)
        {
            if (_buffers[i] is { } buffer)
            {
                state.Add(_parameters[i].Name, buffer.clone());
            }
        }

        return state;
    }

    /// <summary>Checks that momentum buffers fit the parameters.</summary>
    /// <exception cref="InvalidDataException">One is of no parameter, or of another shape or type.</exception>
    public void RequireFit(IReadOnlyDictionary<string, Tensor> state)
    {
        var known = _parameters.ToDictionary(entry => entry.Name, entry => entry.Parameter, StringComparer.Ordinal);
        foreach (var (name, buffer) in state)
        {
            if (!known.TryGetValue(name, out var parameter) || !parameter.shape.SequenceEqual(buffer.shape) || parameter.dtype != buffer.dtype)
            {
                throw new InvalidDataException($"The momentum of '{name}' [{string.Join(", ", buffer.shape)}] fits no parameter of this model.");
            }
        }
    }

    /// <summary>Takes momentum buffers as <see cref="ExportState"/> gave them; the tensors stay the caller's.</summary>
    /// <exception cref="InvalidDataException">They don't fit; nothing has changed then.</exception>
    public void ImportState(IReadOnlyDictionary<string, Tensor> state)
    {
        RequireFit(state);
        for (var i = 0; i < _parameters.Length; i++)
        {
            _buffers[i]?.Dispose();
            _buffers[i] = state.TryGetValue(_parameters[i].Name, out var buffer)
                ? buffer.to(_parameters[i].Parameter.device, copy: true).DetachFromDisposeScope()
                : null;
        }
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers)
        {
            buffer?.Dispose();
        }

        foreach (var weightDecay in _weightDecays)
        {
            weightDecay?.Dispose();
        }

        Array.Clear(_buffers);
        _momentum.Dispose();
        _one.Dispose();
        _zero.Dispose();
    }

    private Tensor Direction(int index, Tensor gradient)
    {
        var direction = _weightDecays[index] is { } weightDecay ? gradient.add(_parameters[index].Parameter, weightDecay) : gradient;
        if (!_hasMomentum)
        {
            return direction;
        }

        if (_buffers[index] is { } buffer)
        {
            buffer.mul_(_momentum).add_(direction, _one);
        }
        else
        {
            buffer = direction.clone().DetachFromDisposeScope();
            _buffers[index] = buffer;
        }

        return _nesterov ? direction.add(buffer, _momentum) : buffer;
    }
}
