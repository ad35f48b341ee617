using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Internal;

/// <summary>Saves a model's parameters, gradients, buffers and modes, and restores them on disposal, bit for bit.</summary>
/// <remarks>Parameters start without gradients and keep their identity.</remarks>
internal sealed class ModelState : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor Value, Tensor? Gradient)> _parameters = [];
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers = [];
    private readonly (Module Module, bool IsTraining)[] _modes;
    private bool _keepsValues;

    public ModelState(Module model)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _modes = [.. ModulesOf(model).Values.Select(module => (module, module.training))];
        foreach (var parameter in model.parameters())
        {
            _parameters.Add((parameter, Copy(parameter), parameter.grad?.DetachFromDisposeScope()));
            parameter.grad = null;
        }

        foreach (var (_, buffer) in ModelBuffers.Of(model))
            _buffers.Add((buffer, Copy(buffer)));
    }

    /// <summary>A model's modules by name, parents first; the model itself has the empty name.</summary>
    public static IReadOnlyDictionary<string, Module> ModulesOf(Module model) =>
        model.named_modules().Select(pair => (Name: pair.name, Module: pair.module)).Prepend((Name: "", Module: model))
            .DistinctBy(pair => pair.Name).ToDictionary(pair => pair.Name, pair => pair.Module, StringComparer.Ordinal);

    /// <summary>Writes the saved parameters and buffers into the model.</summary>
    public void RestoreValues()
    {
        using var _ = no_grad();
        foreach (var (parameter, value, _) in _parameters)
            parameter.copy_(value);
        foreach (var (buffer, value) in _buffers)
            buffer.copy_(value);
    }

    /// <summary>Gives each module the mode that it had.</summary>
    public void RestoreModes()
    {
        // Parents come first, as setting their mode also sets their children's.
        foreach (var (module, isTraining) in _modes)
            module.train(isTraining);
    }

    /// <summary>Lets the model keep the parameters and buffers that it has now: only gradients and modes are restored.</summary>
    public void KeepValues() => _keepsValues = true;

    public void Dispose()
    {
        if (!_keepsValues)
            RestoreValues();
        // In reverse, as a tied parameter may occur twice, and its gradient is saved with the first occurrence.
        foreach (var (parameter, value, gradient) in Enumerable.Reverse(_parameters))
        {
            parameter.grad = gradient;
            value.Dispose();
            gradient?.Dispose();
        }

        foreach (var (_, value) in _buffers)
            value.Dispose();
        RestoreModes();
    }

    private static Tensor Copy(Tensor tensor) => tensor.detach().clone().DetachFromDisposeScope();
}
