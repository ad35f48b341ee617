using static TorchSharp.torch;

namespace Pdp.Training.Internal;

/// <summary>One tensor of a safetensors file: its type, its shape and where its bytes lie, counted from the end of the header.</summary>
internal sealed record SafetensorsEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
{
    /// <summary>The bytes that type and shape ask for, or null if that is more than can be counted.</summary>
    public long? Size()
    {
        try
        {
            // A zero must not hide that the other dimensions are beyond counting: libtorch counts them too.
            var size = Shape.Aggregate((long)SafetensorsType.Width(Type), (size, length) => checked(size * Math.Max(length, 1)));
            return Shape.Contains(0) ? 0 : size;
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
