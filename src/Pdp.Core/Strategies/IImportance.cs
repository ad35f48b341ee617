using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>
/// What weights compete by in place of their magnitude |w|: |a·w|, with a sensitivity a of each weight that follows from its gradients.
/// </summary>
/// <remarks>
/// <para>
/// The equations stay PDP's, on a·w: a member's score is <c>s = c·Σ(a·w)²</c>, the threshold t and √τ are in units of a·w, and the mask is
/// m = σ((s − t²)/τ). Within a step a is a constant and w is not, so that <c>∂L/∂w = m·g + a·(∂s/∂(a·w))·(1/τ)·m(1 − m)·Σ(g·w)</c>, the
/// gradient of autograd with t, τ and a held: weights near the threshold get their second chance as they do by magnitude. With a = 1
/// everywhere it is magnitude.
/// </para>
/// <para>
/// Sensitivities are learned in every scope in which a gradient arrives, those before pruning begins too, and from that gradient alone:
/// there are no extra passes. Each pruned weight needs the memory of one more copy. Implementations are immutable and thread safe; what is
/// learned is the pruner's.
/// </para>
/// </remarks>
public interface IImportance
{
    /// <summary>A short name for messages, such as <c>taylor</c>.</summary>
    string Name { get; }

    /// <summary>The sensitivities of a weight after one gradient more; called under no_grad.</summary>
    /// <param name="sensitivity">a of now, of the gradient's shape; null at the first gradient. Borrowed, and not to be changed.</param>
    /// <param name="gradient">
    /// g = ∂L/∂ŵ of the masked weight and of its shape, float64 for float64 weights and float32 for any other; for tied channels
    /// <c>[channels, weights of all filters]</c>. Borrowed, and not to be changed.
    /// </param>
    /// <param name="gradients">The gradients that were learned from before this one.</param>
    /// <returns>A new tensor of the gradient's shape and type; the caller's. Signs don't count.</returns>
    Tensor Update(Tensor? sensitivity, Tensor gradient, long gradients);

    /// <summary>
    /// What it is and what it is set to, in words. Saved states hold them, and are restored only where they are the same.
    /// </summary>
    /// <returns>By default the name and what <c>ToString</c> gives.</returns>
    string Describe() => $"{Name}: {InvariantText.Of(this)}";
}
