using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Defines the masked weights and their gradient: PDP's soft mask, or the mask of another method.</summary>
/// <remarks>Works in the caller's dispose scope, under no_grad; values come in their arithmetic type.</remarks>
internal interface IMaskRule : IDisposable
{
    /// <summary>Whether ŵ is w.</summary>
    bool IsIdentity { get; }

    /// <summary>Whether it is PDP's soft mask.</summary>
    bool IsSoft => false;

    /// <summary>Whether it learns from gradients, and so takes part in scopes where ŵ is w.</summary>
    bool Observes => false;

    /// <summary>Whether <see cref="BeginStep"/> has to be called for each step of the optimizer.</summary>
    bool CountsSteps => false;

    /// <summary>Called before <see cref="Leave"/> if the gradient is the first since the optimizer's last step.</summary>
    void BeginStep()
    {
    }

    /// <summary>ŵ of a scope that begins.</summary>
    GroupValues Enter(GroupValues dense, MaskForm form);

    /// <summary>ŵ of the scope that was entered last.</summary>
    GroupValues Again(GroupValues dense, MaskForm form);

    /// <summary>∂L/∂w from ∂L/∂ŵ in the scope that was entered last.</summary>
    GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form);

    /// <summary>Called once all gradients of the scope are written; whatever it adds to a gradient now stays as it is.</summary>
    void Left()
    {
    }

    /// <summary>The current hard mask, <c>[groups, members]</c>, bool.</summary>
    Tensor Kept(Tensor weight);

    /// <summary>Forgets the scope that was entered last.</summary>
    void Forget();
}
