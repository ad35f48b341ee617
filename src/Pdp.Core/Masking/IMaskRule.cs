using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What the forward pass sees of one weight, and how its gradient comes back.</summary>
/// <remarks>Works in the caller's dispose scope, under no_grad; weights come in their arithmetic type.</remarks>
internal interface IMaskRule : IDisposable
{
    /// <summary>Whether ŵ is w.</summary>
    bool IsIdentity { get; }

    /// <summary>Whether it learns from gradients, and so takes part in scopes where ŵ is w.</summary>
    bool Observes => false;

    /// <summary>Whether it wants to be told of the optimizer's steps.</summary>
    bool CountsSteps => false;

    /// <summary>Is told, before <see cref="Gradient"/>, that the gradient is the first of an optimizer's step.</summary>
    void BeginStep()
    {
    }

    /// <summary>ŵ of a scope that begins.</summary>
    Tensor Enter(Tensor weight, MaskForm form);

    /// <summary>ŵ of the scope that was entered last.</summary>
    Tensor Again(Tensor weight, MaskForm form);

    /// <summary>∂L/∂w from ∂L/∂ŵ in the scope that was entered last.</summary>
    Tensor Gradient(Tensor weight, Tensor upstream, MaskForm form);

    /// <summary>The hard mask of now, of the weight's shape.</summary>
    Tensor Kept(Tensor weight);

    /// <summary>Forgets the scope that was entered last.</summary>
    void Forget();
}
