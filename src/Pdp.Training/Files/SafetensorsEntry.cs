using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>One tensor of a safetensors file: its type, its shape and the range of its bytes, counted from the end of the header.</summary>
internal sealed record SafetensorsEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
{
    /// <summary>The number of bytes that type and shape require; null if it overflows.</summary>
    public long? Size()
    {
        try
        {
            // A dimension of zero must not hide an overflow of the others: libtorch multiplies them too.
            var size = Shape.Aggregate((long)SafetensorsType.Width(Type), (size, length) => checked(size * Math.Max(length, 1)));
            return Shape.Contains(0) ? 0 : size;
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
