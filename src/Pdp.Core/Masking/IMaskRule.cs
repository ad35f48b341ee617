using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>What a mask is: PDP's soft one, or a method's.</summary>
/// <remarks>Works in the caller's dispose scope, under no_grad; values come in their arithmetic type.</remarks>
internal interface IMaskRule : IDisposable
{
    /// <summary>Whether ŵ is w.</summary>
    bool IsIdentity { get; }

    /// <summary>Whether it is PDP's.</summary>
    bool IsSoft => false;

    /// <summary>Whether it learns from gradients, and so takes part in scopes where ŵ is w.</summary>
    bool Observes => false;

    /// <summary>Whether it wants to be told of the optimizer's steps.</summary>
    bool CountsSteps => false;

    /// <summary>Is told, before <see cref="Leave"/>, that the gradient is the first of an optimizer's step.</summary>
    void BeginStep()
    {
    }

    /// <summary>ŵ of a scope that begins.</summary>
    GroupValues Enter(GroupValues dense, MaskForm form);

    /// <summary>ŵ of the scope that was entered last.</summary>
    GroupValues Again(GroupValues dense, MaskForm form);

    /// <summary>∂L/∂w from ∂L/∂ŵ in the scope that was entered last.</summary>
    GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form);

    /// <summary>Is told that all gradients of the scope are written: what it adds to one now stays as it is.</summary>
    void Left()
    {
    }

    /// <summary>The hard mask of now, <c>[groups, members]</c>, bool.</summary>
    Tensor Kept(Tensor weight);

    /// <summary>Forgets the scope that was entered last.</summary>
    void Forget();
}
