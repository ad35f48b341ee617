namespace Pdp;

/// <summary>A scope in which a model's weights are masked; <see cref="Dispose"/> makes them dense again.</summary>
/// <remarks>
/// Disposal restores the weights bit for bit, even after an exception, and turns the gradients that arrived inside from ∂L/∂ŵ into ∂L/∂w.
/// It is a ref struct, and so can't be held across an await, because dispose scopes are per thread. The default value is not an open scope,
/// so <c>using (pruner is null ? default : pruner.Mask())</c> works for dense and pruned training alike. Save and load the model outside:
/// inside, <c>save</c> and <c>state_dict</c> see the masked weights, and loaded weights are lost, which the pruner's next call reports.
/// Gradients inside are ∂L/∂ŵ, and in the first scopes those of some weights are float64, to detect whether something changes them: read,
/// clip and scale them after the scope.
/// </remarks>
public readonly ref struct MaskScope : IDisposable
{
    private readonly PdpPruner _pruner;
    private readonly long _number;

    internal MaskScope(PdpPruner pruner, long number)
    {
        _pruner = pruner;
        _number = number;
    }

    /// <summary>Ends the scope. Never throws: an error inside is thrown by the pruner's next call. A second call does nothing.</summary>
    public void Dispose() => _pruner?.Leave(_number);
}
