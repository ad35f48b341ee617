namespace Pdp;

/// <summary>The time in which a model's weights are masked; <see cref="Dispose"/> makes them dense again.</summary>
/// <remarks>
/// On disposal the weights are as before, bit for bit, also after an exception, and the gradients that arrived inside hold ∂L/∂w in place of
/// ∂L/∂ŵ. A ref struct, as dispose scopes are per thread: no await inside. The default value is no open scope, so that
/// <c>using (pruner is null ? default : pruner.Mask())</c> serves dense and pruned training alike. Save and load the model outside: inside,
/// <c>save</c> and <c>state_dict</c> see the masked weights, and what is loaded is lost, which is reported. Gradients inside are ∂L/∂ŵ; in the
/// first scopes those of some weights are float64, to tell whether something acts on them: read, clip and scale them after the scope.
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

    /// <summary>Ends the scope. Never throws: what went wrong inside is thrown by the pruner's next call. A second call does nothing.</summary>
    public void Dispose() => _pruner?.Leave(_number);
}
