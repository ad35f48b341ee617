using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pdp.Tests.Support;

/// <summary>Numbers into tensors and back, without implicit Scalars.</summary>
internal static class Tensors
{
    /// <summary>A tensor of a shape and type; one dimension if no shape is given.</summary>
    public static Tensor Of(IReadOnlyList<double> values, long[]? shape = null, ScalarType type = ScalarType.Float64)
    {
        using var scope = NewDisposeScope();
        double[] array = [.. values];
        return tensor(array, dtype: ScalarType.Float64).reshape(shape ?? [array.Length]).to_type(type).MoveToOuterDisposeScope();
    }

    /// <summary>All values, row by row; bools as 0 and 1.</summary>
    public static double[] Values(this Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var wide = tensor.detach().to_type(ScalarType.Float64).contiguous();
        return MemoryMarshal.Cast<byte, double>(wide.bytes).ToArray();
    }

    /// <summary>The bits, to compare exactly.</summary>
    public static byte[] Bits(this Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return tensor.detach().contiguous().bytes.ToArray();
    }

    /// <summary>Normal numbers, the same on every machine, independent of libtorch's generator.</summary>
    public static double[] Normal(int seed, long count, double scale = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, (int)count).Select(
            _ => scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];
    }

    /// <summary>Writes values into a parameter in place.</summary>
    public static void Fill(Tensor parameter, IReadOnlyList<double> values)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        parameter.copy_(Of(values, parameter.shape));
    }

    /// <summary>The number of elements of a shape.</summary>
    public static long Count(IEnumerable<long> shape) => shape.Aggregate(1L, (product, size) => product * size);
}
