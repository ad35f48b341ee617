using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What an importance has learned about a group: a, by which its weights are multiplied when they compete.</summary>
/// <remarks>
/// Owns a from the first gradient on. Works in the caller's dispose scope, under no_grad; weights come in their arithmetic type.
/// </remarks>
/// <param name="importance">The importance.</param>
/// <param name="shape">The shape in which weights and gradients come.</param>
internal sealed class RunningImportance(IImportance importance, long[] shape) : IDisposable
{
    public string Name => importance.Name;

    /// <summary>What a follows.</summary>
    public IImportance Rule => importance;

    /// <summary>a; null before the first gradient. Borrowed.</summary>
    public Tensor? Sensitivity { get; private set; }

    /// <summary>Whether something has been learned: gradients that are 0, or not finite, say nothing. Waits for the device.</summary>
    public bool IsKnown
    {
        get
        {
            using var scope = NewDisposeScope();
            return Sensitivity is not null && Sensitivity.any().cpu().ReadCpuBool(0);
        }
    }

    /// <summary>The number of gradients that a has been learned from.</summary>
    public long Gradients { get; private set; }

    /// <summary>a·w; w before the first gradient.</summary>
    public Tensor Competing(Tensor weight) => Sensitivity is null ? weight.alias() : weight.mul(Sensitivity);

    /// <summary>Learns from a gradient; one that is not finite leaves a as it is.</summary>
    /// <exception cref="InvalidOperationException">The importance returned a tensor of another shape or type.</exception>
    public void Observe(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var next = importance.Update(Sensitivity, gradient, Gradients);
        if (!next.shape.AsSpan().SequenceEqual(shape) || next.dtype != gradient.dtype)
            throw new InvalidOperationException(
                $"{importance.Name}.Update returned a tensor [{string.Join(", ", next.shape)}] of {next.dtype} for a gradient "
                + $"[{string.Join(", ", shape)}] of {gradient.dtype}: it must have the same shape and type.");

        // Selects on the device: reading whether the gradient is finite would make the step wait.
        Set(where(gradient.isfinite().all(), next, Sensitivity ?? next.zeros_like()), Gradients + 1);
    }

    /// <summary>Takes over what <see cref="TaylorMemory"/> has learned from a gradient.</summary>
    /// <param name="next">The new a, of the same shape; from now on owned here.</param>
    /// <returns>The earlier one, from now on the caller's.</returns>
    public Tensor? Exchange(Tensor next)
    {
        var earlier = Sensitivity;
        (Sensitivity, Gradients) = (next, Gradients + 1);
        return earlier;
    }

    /// <summary>Counts a gradient that <see cref="TaylorMemory"/> has found not to be finite.</summary>
    public void Skip() => Gradients++;

    /// <summary>Restores what was learned before; null for nothing.</summary>
    /// <param name="sensitivity">a, in any shape, on its device.</param>
    /// <param name="gradients">The gradients that it was learned from.</param>
    public void Restore(Tensor? sensitivity, long gradients)
    {
        using var scope = NewDisposeScope();
        Set(sensitivity?.reshape(shape).clone(), gradients);
    }

    public void Dispose() => Sensitivity?.Dispose();

    private void Set(Tensor? sensitivity, long gradients)
    {
        Sensitivity?.Dispose();
        (Sensitivity, Gradients) = (sensitivity?.DetachFromDisposeScope(), gradients);
    }
}
