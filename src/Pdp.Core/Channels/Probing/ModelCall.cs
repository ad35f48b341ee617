using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing;

/// <summary>How a model is called, with inputs that can be exchanged where they are seen: as an argument, or by a hook on the model.</summary>
internal sealed class ModelCall
{
    private readonly Func<IReadOnlyList<Tensor>> _forward;
    private readonly Action _unhook;
    private readonly List<Tensor> _seen = [];
    private IReadOnlyList<Tensor>? _given;
    private int _next;

    private ModelCall(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        _forward = forward;
        _unhook = Hook(model);
    }

    /// <summary>The call of a model by a function of the user's own.</summary>
    /// <exception cref="Exception">What the model throws.</exception>
    public static ModelCall Of(Module model, Func<IReadOnlyList<Tensor>> forward)
    {
        var call = new ModelCall(model, forward);
        try
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            call.Run(null);
            return call;
        }
        catch
        {
            call.Release();
            throw;
        }
    }

    /// <summary>The inputs of the user's own call, in the order of the passes; none where they can't be seen.</summary>
    public IReadOnlyList<Tensor> Example => _seen;

    /// <summary>Calls the model and gives its outputs, which belong to the current scope.</summary>
    /// <param name="inputs">What takes the place of the example; null leaves it.</param>
    public IReadOnlyList<Tensor> Run(IReadOnlyList<Tensor>? inputs)
    {
        (_given, _next) = (inputs, 0);
        return _forward();
    }

    /// <summary>Lets go of the model; to be called on the thread of the passes, as TorchSharp counts tensors by threads.</summary>
    public void Release()
    {
        _unhook();
        foreach (var input in _seen)
            input.Dispose();
    }

    private Action Hook(Module model) =>
        HookOf<Tensor>(model) ?? HookOf<(Tensor, Tensor)>(model) ?? HookOf<(Tensor, Tensor, Tensor)>(model)
        ?? HookOf<Tensor[]>(model) ?? HookOf<List<Tensor>>(model) ?? HookOf<IReadOnlyList<Tensor>>(model) ?? HookOf<Dictionary<string, Tensor>>(model) ?? (static () => { });

    private Action? HookOf<TResult>(Module model) => model switch
    {
        Module<Tensor, TResult> one => one.register_forward_pre_hook((_, a) => Next(a)).remove,
        Module<Tensor, Tensor, TResult> two => two.register_forward_pre_hook((_, a, b) => (Next(a), Next(b))).remove,
        Module<Tensor, Tensor, Tensor, TResult> three => three.register_forward_pre_hook((_, a, b, c) => (Next(a), Next(b), Next(c))).remove,
        _ => null,
    };

    /// <summary>Notes an input in the first pass, and exchanges it in those that are given others.</summary>
    private Tensor Next(Tensor input)
    {
        var number = _next++;
        if (_given is null && number == _seen.Count && input is not null)
            _seen.Add(input.detach().clone().DetachFromDisposeScope());
        return _given is not null && number < _given.Count ? _given[number] : input!;
    }
}
