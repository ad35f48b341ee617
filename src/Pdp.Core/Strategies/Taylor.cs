using System.Globalization;
using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>
/// The first-order Taylor expansion of what removing a weight does to the loss: |w·∂L/∂w|, with a running mean of |∂L/∂w|.
/// </summary>
/// <remarks>
/// Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation for Neural Network Pruning", CVPR 2019, take the mean of
/// (w·∂L/∂w)² over minibatches, and sum it over the weights of a structure, which is what channels and blocks do here. We take the
/// mean of |∂L/∂w|: in one minibatch the order is the same, and small gradients don't underflow when they are squared. It is the
/// mean over the first <see cref="Window"/> gradients, and from there on an exponential one. Unstructured masks of float32 weights on
/// the CPU rank by it in kernels, which need the memory of two more copies of these weights.
/// </remarks>
public sealed record Taylor : IImportance
{
    private static readonly Scalar One = 1.ToScalar();

    /// <summary>The gradients that the running mean looks back on.</summary>
    /// <value>At least 1, which takes the last gradient alone; default 100.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int Window { get; init => field = value >= 1 ? value : throw Guard.Outside(nameof(Window), value, "[1, ∞)"); } = 100;

    /// <inheritdoc/>
    public string Name => "taylor";

    /// <inheritdoc/>
    public Tensor Update(Tensor? sensitivity, Tensor gradient, long gradients)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        if (sensitivity is null)
            return gradient.abs();

        using var scope = NewDisposeScope();
        using Scalar share = (1.0 / Math.Min(gradients + 1, Window)).ToScalar();
        return gradient.abs().sub_(sensitivity).mul_(share).add_(sensitivity, One).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{Name}, the mean over {Window} gradients");
}
