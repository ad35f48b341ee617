using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>Calls a model through the user's function. Hooks on the model record its inputs and can replace them.</summary>
internal sealed class ModelCall
{
    private readonly Func<IReadOnlyList<Tensor>> _forward;
    private readonly Action _unhook;
    private readonly List<Tensor> _seen = [];
    private IReadOnlyList<Tensor>? _given;
    private int _next;

    /// <summary>Hooks the model. Nothing is recorded yet.</summary>
    public ModelCall(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _forward = forward;
        _unhook = Hook(model);
    }

    /// <summary>Hooks the model and calls the user's function once, which records the inputs.</summary>
    /// <exception cref="Exception">The model throws it; the hooks are removed then.</exception>
    public static ModelCall Of(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        var call = new ModelCall(model, forward);
        try
        {
            call.Record();
            return call;
        }
        catch
        {
            call.Release();
            throw;
        }
    }

    /// <summary>The recorded inputs of the user's call, in order; empty if hooks can't see them.</summary>
    public IReadOnlyList<Tensor> Example => _seen;

    /// <summary>Calls the user's function once, which records the inputs.</summary>
    /// <exception cref="Exception">The model throws it.</exception>
    public void Record()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Run(null);
    }

    /// <summary>Calls the model and returns its outputs, which belong to the current scope.</summary>
    /// <param name="inputs">The inputs that replace the recorded ones; null for the user's own.</param>
    public IReadOnlyList<Tensor> Run(IReadOnlyList<Tensor>? inputs)
    {
        (_given, _next) = (inputs, 0);
        return _forward();
    }

    /// <summary>Removes the hooks. Call it on the thread of the passes, since TorchSharp counts tensors per thread.</summary>
    public void Release()
    {
        _unhook();
        foreach (var input in _seen)
            input.Dispose();
    }

    private Action Hook(Module model) =>
        HookOf<Tensor>(model) ?? HookOf<(Tensor, Tensor)>(model) ?? HookOf<(Tensor, Tensor, Tensor)>(model)
        ?? HookOf<Tensor[]>(model) ?? HookOf<List<Tensor>>(model) ?? HookOf<IReadOnlyList<Tensor>>(model)
        ?? HookOf<Dictionary<string, Tensor>>(model) ?? (static () => { });

    private Action? HookOf<TResult>(Module model) => model switch
    {
        Module<Tensor, TResult> one => one.register_forward_pre_hook((_, a) => Next(a)).remove,
        Module<Tensor, Tensor, TResult> two => two.register_forward_pre_hook((_, a, b) => (Next(a), Next(b))).remove,
        Module<Tensor, Tensor, Tensor, TResult> three =>
            three.register_forward_pre_hook((_, a, b, c) => (Next(a), Next(b), Next(c))).remove,
        _ => null,
    };

    /// <summary>Records an input in the first pass, and replaces it in passes with other inputs.</summary>
    private Tensor Next(Tensor input)
    {
        var number = _next++;
        if (_given is null && number == _seen.Count && input is not null)
            _seen.Add(input.detach().clone().DetachFromDisposeScope());
        return _given is not null && number < _given.Count ? _given[number] : input!;
    }
}
