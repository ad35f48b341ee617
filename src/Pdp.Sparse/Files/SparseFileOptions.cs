using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Sparse;

/// <summary>How a sparse file is written.</summary>
public sealed record SparseFileOptions
{
    /// <summary>
    /// The type that wider floating-point weights are rounded to. Weights are the tensors of two or more dimensions; biases, norms and
    /// their statistics keep their type.
    /// </summary>
    /// <value>
    /// Null by default: no weight is rounded. <see cref="ScalarType.BFloat16"/>, which keeps the range and 8 bits of precision, or
    /// <see cref="ScalarType.Float16"/>, which keeps 11 bits of precision up to 65,504.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">The value is another type.</exception>
    public ScalarType? Values
    {
        get;
        init => field = value is null or ScalarType.BFloat16 or ScalarType.Float16
            ? value
            : throw Guard.Outside(nameof(Values), value, "{null, BFloat16, Float16}");
    }

    /// <summary>Whether a −0 is kept as a value of its own. If not, it is saved as 0; only a division by it shows the difference.</summary>
    /// <value>
    /// Default true: every bit is kept. Set it to false for a model that was pruned by multiplying with masks, as by PyTorch's
    /// <c>prune</c>: half of its zeros are −0. Commit writes 0.
    /// </value>
    public bool KeepsNegativeZeros { get; init; } = true;
}
