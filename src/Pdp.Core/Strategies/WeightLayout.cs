using System.Globalization;

namespace Pdp;

/// <summary>The shape of a weight and the meaning of its dimensions.</summary>
/// <remarks>Immutable; two layouts are equal if their shapes and meanings are.</remarks>
public sealed class WeightLayout : IEquatable<WeightLayout>
{
    private readonly long[] _shape;

    /// <summary>Describes a weight.</summary>
    /// <param name="shape">The sizes of the dimensions, each at least 1; one dimension or more.</param>
    /// <param name="inputDimension">
    /// The dimension of the input channels: 1 for linear layers and convolutions, 0 for transposed ones.
    /// </param>
    /// <param name="connectionGroups">
    /// The groups of a grouped transposed convolution, whose input dimension spans all of them; else 1.
    /// </param>
    /// <exception cref="ArgumentException">The shape is empty or has a size below 1.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The input dimension or the number of groups doesn't fit the shape.</exception>
    public WeightLayout(IReadOnlyList<long> shape, int inputDimension = 1, long connectionGroups = 1)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Count == 0 || shape.Any(size => size < 1))
            throw new ArgumentException(
                $"A weight needs one or more dimensions of size 1 or more, not [{string.Join(", ", shape)}].", nameof(shape));
        ArgumentOutOfRangeException.ThrowIfNegative(inputDimension);
        ArgumentOutOfRangeException.ThrowIfLessThan(connectionGroups, 1);

        _shape = [.. shape];
        InputDimension = Math.Min(inputDimension, _shape.Length - 1);
        if (_shape[InputDimension] % connectionGroups != 0)
            throw new ArgumentOutOfRangeException(nameof(connectionGroups), connectionGroups,
                $"Must divide the {_shape[InputDimension]} inputs.");
        Inputs = _shape[InputDimension] / connectionGroups;
        Elements = _shape.Aggregate(1L, (product, size) => checked(product * size));
    }

    /// <summary>The sizes of the dimensions, as in <c>[out, in/groups, kh, kw]</c>.</summary>
    public IReadOnlyList<long> Shape => _shape;

    /// <summary>The dimension of the input channels; the last one if the weight has fewer dimensions.</summary>
    public int InputDimension { get; }

    /// <summary>The dimension of the output channels.</summary>
    public int OutputDimension => InputDimension == 0 && _shape.Length > 1 ? 1 : 0;

    /// <summary>The input channels that one output channel sees.</summary>
    public long Inputs { get; }

    /// <summary>The number of weights.</summary>
    public long Elements { get; }

    /// <summary>The shape as TorchSharp takes it; not to be changed.</summary>
    internal long[] Dimensions => _shape;

    /// <inheritdoc/>
    public bool Equals(WeightLayout? other) =>
        other is not null
            && InputDimension == other.InputDimension
            && Inputs == other.Inputs
            && _shape.AsSpan().SequenceEqual(other._shape);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WeightLayout);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Elements, InputDimension, Inputs);

    /// <summary>The shape, such as <c>[64, 16, 3, 3]</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[{string.Join(", ", _shape)}]");
}
