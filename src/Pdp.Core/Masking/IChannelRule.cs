using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What the channels of a group are multiplied by, and how the gradient of that comes back.</summary>
/// <remarks>Works in the caller's dispose scope, under no_grad; filters come as <c>[channels, weights]</c>, in their arithmetic type.</remarks>
internal interface IChannelRule : IDisposable
{
    /// <summary>Whether ŵ is w.</summary>
    bool IsIdentity { get; }

    /// <summary>Whether it learns from gradients, and so takes part in scopes where ŵ is w.</summary>
    bool Observes => false;

    /// <summary>Whether it is PDP's.</summary>
    bool IsSoft { get; }

    /// <summary>Takes note of the filters of a scope that begins.</summary>
    void Begin(Tensor filters);

    /// <summary>The factor of each channel in the scope that began last, <c>[channels, 1]</c>.</summary>
    /// <returns>The hard mask in it, bool, null if it is soft alone; and the whole factor. Both are null where ŵ is w.</returns>
    (Tensor? Hard, Tensor? Whole) Factors(Tensor filters, MaskForm form);

    /// <summary>The filters' gradient that comes through the mask.</summary>
    /// <param name="filters">The filters.</param>
    /// <param name="gate">∂L/∂m, <c>[1, channels]</c>.</param>
    /// <param name="form">The form of the scope.</param>
    /// <returns>The filters' shape; null if none comes through.</returns>
    Tensor? ThroughMask(Tensor filters, Tensor gate, MaskForm form);

    /// <summary>Is told ∂L/∂m once all gradients of the scope are written.</summary>
    void GateGradient(Tensor gate)
    {
    }

    /// <summary>Is told the filters' gradient, ∂L/∂ŵ, once all gradients of the scope are written.</summary>
    void FilterGradient(Tensor upstream)
    {
    }

    /// <summary>The hard mask of now, <c>[channels, 1]</c>, bool.</summary>
    Tensor Kept(Tensor filters);

    /// <summary>Forgets the scope that began last.</summary>
    void Forget();
}
