namespace Pdp.Training;

/// <summary>What clipping by norm does where the norm is NaN or infinite.</summary>
public enum NonFiniteGradients
{
    /// <summary>
    /// Clips as always, as PyTorch does by default: a NaN makes all gradients NaN; an infinity becomes NaN and the finite gradients zero.
    /// </summary>
    Keep,

    /// <summary>
    /// Fills all gradients with zeros, on the device. Momentum and weight decay still act in the step that follows; to leave the step out,
    /// read the norm.
    /// </summary>
    Zero,

    /// <summary>Throws and leaves the gradients as they are. It has to wait for the device in every step.</summary>
    Throw,
}
