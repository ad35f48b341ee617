using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What stands under one mask: a weight, or the filters of tied channels with their biases and norms.</summary>
internal interface IMaskedWeight : IDisposable
{
    PdpMask Mask { get; }

    /// <summary>What the scope writes to: the weights that make the scores first.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Whether a scope changes anything, and so sets earlier gradients aside.</summary>
    bool IsMasking { get; }

    /// <summary>The type of the weights.</summary>
    ScalarType Type { get; }

    /// <summary>The kernels that may take it through a scope; null where tensor operations do the work.</summary>
    IFusedWeight? Fused { get; }

    /// <summary>The hard mask in force since commit, which broadcasts to the mask's layout; null before.</summary>
    Tensor? Frozen { get; }

    /// <summary>Whether the mask is PDP's and not final yet.</summary>
    bool IsSoft { get; }

    /// <summary>What a method sees of it.</summary>
    MethodLayer AsLayer();

    /// <summary>Takes the rule of a method, where it is the layer of a number, in the place of PDP's; before the first scope.</summary>
    void Follow(IMethodRun run, int number);

    /// <summary>Competes by an importance in place of magnitude; before the first scope.</summary>
    void Follow(IImportance importance);

    /// <summary>The magnitudes that compete, <c>[groups, members]</c>; the caller's.</summary>
    Tensor Magnitude();

    /// <summary>The hard mask of now, which broadcasts to the mask's layout; the caller's.</summary>
    Tensor Kept();

    /// <summary>The weight in the mask's layout; the caller's.</summary>
    Tensor Value();

    /// <summary>Checks that the parameters are still the ones that were attached.</summary>
    void RequireAttached();

    /// <summary>Checks that all weights are finite; waits for the device.</summary>
    void RequireFinite();

    /// <summary>Sets the gradients aside and puts ŵ in the place of w.</summary>
    /// <exception cref="InvalidOperationException">The weight is not finite; nothing has changed then.</exception>
    void Enter(MaskForm form);

    /// <summary>Puts w back and turns ∂L/∂ŵ into ∂L/∂w.</summary>
    /// <param name="gradientArrived">Whether a gradient arrived inside.</param>
    /// <returns>What went wrong inside; null if nothing did.</returns>
    string? Leave(out bool gradientArrived);

    /// <summary>What devices other than the CPU have noted since the last call; null if nothing.</summary>
    string? TakeDeferredFault();

    /// <summary>Fixes the hard mask and writes exact zeros; the dense weights are given up.</summary>
    void Commit(MaskForm form);

    /// <summary>Takes the hard mask of a commit in another process, <c>[groups, members]</c>, or gives up that of a commit taken back.</summary>
    void Restore(Tensor? kept);
}
