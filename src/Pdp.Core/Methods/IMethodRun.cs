using static TorchSharp.torch;

namespace Pdp;

/// <summary>A method at work on one model; layers are numbered as they were attached.</summary>
/// <remarks>
/// Called under no_grad, in a dispose scope of the caller. Tensors passed in are borrowed; tensors returned are the caller's, and new: a weight comes
/// in its arithmetic type (float64 for float64, float32 for any other) and must not be changed, but in <see cref="Begin"/>. Weights under the
/// <see cref="Pdp.PerChannel"/> strategy see <see cref="Kept"/> alone, which removes their channels' biases and norms along; what their mask's
/// gradient is, <see cref="GateGradient"/> is told. They are asked for <see cref="Kept"/> once a scope, before it masks anything of theirs.
/// </remarks>
public interface IMethodRun : IDisposable
{
    /// <summary>What the method learns besides the weights, for the training loop's optimizer; empty if nothing.</summary>
    IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Follows the clock, after the masks' counts have moved; may change weights in place and set other counts (<see cref="MethodLayer.Remove"/>).</summary>
    /// <param name="epoch">The epoch; fractional within one.</param>
    void Begin(double epoch);

    /// <summary>ŵ, what the forward pass sees; in scopes of the raw form that is w where <see cref="Kept"/> keeps it.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    Tensor Forward(int layer, Tensor weight);

    /// <summary>∂L/∂w, in scopes of every form; follows <see cref="Forward"/> of the same scope. Gradients of <see cref="Parameters"/> are added to them here.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    /// <param name="upstream">g = ∂L/∂ŵ, of the same shape.</param>
    Tensor Backward(int layer, Tensor weight, Tensor upstream);

    /// <summary>Whether <see cref="BeginStep"/> is to be called; each scope then compares the weights with those of the last one.</summary>
    bool CountsSteps => false;

    /// <summary>Is told, before <see cref="Backward"/>, that its gradient is the first of an optimizer's step.</summary>
    /// <remarks>
    /// The weight has changed since the last such call, or it had no gradient before the scope, or one of zeros. What belongs into a step once, into however
    /// many scopes it is divided, is added here.
    /// </remarks>
    /// <param name="layer">The layer's number; never one under the <see cref="Pdp.PerChannel"/> strategy.</param>
    void BeginStep(int layer)
    {
    }

    /// <summary>The hard mask of now, which commit makes final.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="weight">w, of the layout's shape.</param>
    /// <returns><c>[groups, members]</c> of the mask's strategy, bool, true where a member is kept.</returns>
    Tensor Kept(int layer, Tensor weight);

    /// <summary>Is told the gradient of the mask of channels, ∂L/∂m = Σ(g·θ) over what carries a channel's mask.</summary>
    /// <remarks>
    /// That is filters, biases and norms, or norms alone where all readers see the channels behind them. The weights are dense again and their gradients written: what is added to the gradient of a parameter here is not masked any more.
    /// </remarks>
    /// <param name="layer">The layer's number.</param>
    /// <param name="gradient"><c>[1, channels]</c>.</param>
    void GateGradient(int layer, Tensor gradient)
    {
    }

    /// <summary>Checks, before anything changes, that <see cref="Parameters"/> are trained: when a whole epoch begins, and before commit.</summary>
    /// <param name="isFinal">Whether commit is next; if not, what has not moved yet may still be waiting for its learning rate.</param>
    /// <exception cref="InvalidOperationException">They are not, in words that say what to do.</exception>
    void RequireTrained(bool isFinal)
    {
    }
}
