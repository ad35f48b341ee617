using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>Parameters whose gradients are summed in one call. It borrows the memory that they are packed into.</summary>
internal sealed class GradientBucket : IDisposable
{
    private readonly (Parameter Parameter, Tensor View)[] _entries;
    private readonly Tensor _flat;

    /// <param name="parameters">The parameters.</param>
    /// <param name="memory">One dimension, at least as long as all of them together.</param>
    public GradientBucket(IReadOnlyList<Parameter> parameters, Tensor memory)
    {
        using var scope = NewDisposeScope();
        var offset = 0L;
        _entries = new (Parameter, Tensor)[parameters.Count];
        for (var i = 0; i < _entries.Length; i++)
        {
            var count = parameters[i].numel();
            _entries[i] = (parameters[i], memory.narrow(0, offset, count).view(parameters[i].shape).DetachFromDisposeScope());
            offset += count;
        }

        _flat = memory.narrow(0, 0, offset).DetachFromDisposeScope();
    }

    public int Count => _entries.Length;

    public IEnumerable<Parameter> Parameters => _entries.Select(entry => entry.Parameter);

    /// <summary>The memory of all gradients.</summary>
    public Tensor Flat => _flat;

    /// <summary>Copies the gradients in; zeros where there is none.</summary>
    public void Pack()
    {
        foreach (var (parameter, view) in _entries)
        {
            if (parameter.grad is { } gradient)
            {
                view.copy_(gradient.is_sparse ? gradient.to_dense() : gradient);
            }
            else
            {
                view.zero_();
            }
        }
    }

    /// <summary>Copies the averages back to where the gradients were.</summary>
    /// <param name="isPresent">Whether any rank has a gradient of each parameter; where none has, there is still none.</param>
    public void Unpack(ReadOnlySpan<bool> isPresent)
    {
        for (var i = 0; i < _entries.Length; i++)
        {
            var (parameter, view) = _entries[i];
            if (parameter.grad is { is_sparse: false } gradient && !ExpandedView.Is(gradient))
            {
                gradient.copy_(view);
            }
            else if (isPresent[i])
            {
                parameter.grad = view.to_type(parameter.dtype, copy: true);
            }
        }
    }

    public void Dispose()
    {
        foreach (var (_, view) in _entries)
        {
            view.Dispose();
        }

        _flat.Dispose();
    }
}
