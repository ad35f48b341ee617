using static TorchSharp.torch;

namespace Pdp;

/// <summary>The run of a method on one model; layers are numbered in the order of <see cref="IPruningMethod.Attach"/>.</summary>
/// <remarks>
/// Called under no_grad, in a dispose scope of the caller. Tensors passed in are borrowed; tensors returned are the caller's, and new: a
/// weight comes in its arithmetic type (float64 for float64, float32 for any other) and must not be changed, but in <see cref="Begin"/>.
/// Weights under the <see cref="Pdp.PerChannel"/> strategy see <see cref="Kept"/> alone, which removes their channels' biases and norms
/// along; what their mask's gradient is, <see cref="GateGradient"/> is told. They are asked for <see cref="Kept"/> once a scope, before it
/// masks anything of theirs.
/// </remarks>
public interface IMethodRun : IDisposable
{
    /// <summary>The parameters that the method learns besides the weights, for the training loop's optimizer; may be empty.</summary>
    IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>
    /// Called when the clock is set, after the masks' counts have been updated; may change weights in place and set other counts
    /// (<see cref="MethodLayer.Remove"/>).
    /// </summary>
    /// <param name="epoch">The epoch; fractional within one.</param>
    void Begin(double epoch);

    /// <summary>
    /// ŵ, the weight in the forward pass. In scopes of the raw form it is w for the weights that <see cref="Kept"/> keeps.
    /// </summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    Tensor Forward(int layer, Tensor weight);

    /// <summary>
    /// ∂L/∂w, in scopes of every form; called after <see cref="Forward"/> in the same scope. Add the gradients of <see cref="Parameters"/>
    /// here.
    /// </summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    /// <param name="upstream">g = ∂L/∂ŵ, of the same shape.</param>
    Tensor Backward(int layer, Tensor weight, Tensor upstream);

    /// <summary>Whether <see cref="BeginStep"/> is to be called; each scope then compares the weights with those of the last one.</summary>
    bool CountsSteps => false;

    /// <summary>Called before <see cref="Backward"/> if its gradient is the first in an optimizer's step.</summary>
    /// <remarks>
    /// That is the case if the weight has changed since the last such call, or if it had no gradient or a zero one before the scope. Use it
    /// for whatever has to be added once per step, into however many scopes the step is divided.
    /// </remarks>
    /// <param name="layer">The layer's number; never one under the <see cref="Pdp.PerChannel"/> strategy.</param>
    void BeginStep(int layer)
    {
    }

    /// <summary>The current hard mask, which commit makes final.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    /// <returns><c>[groups, members]</c> of the mask's strategy, bool, true where a member is kept.</returns>
    Tensor Kept(int layer, Tensor weight);

    /// <summary>Receives the gradient of a channel mask, ∂L/∂m = Σ(g·θ) over the parameters θ that carry a channel's mask.</summary>
    /// <remarks>
    /// Those are filters, biases and norms, or only norms if everything that reads the channels comes after them. The weights are already
    /// dense again and their gradients written, so what is added to a parameter's gradient here is not masked.
    /// </remarks>
    /// <param name="layer">The layer's number.</param>
    /// <param name="gradient"><c>[1, channels]</c>.</param>
    void GateGradient(int layer, Tensor gradient)
    {
    }

    /// <summary>
    /// Checks, before anything changes, that <see cref="Parameters"/> are trained: when a whole epoch begins, and before commit.
    /// </summary>
    /// <param name="isFinal">
    /// Whether commit is next; if not, parameters that have not changed may still be waiting for their learning rate.
    /// </param>
    /// <exception cref="InvalidOperationException">They are not; the message says what to do.</exception>
    void RequireTrained(bool isFinal)
    {
    }
}
