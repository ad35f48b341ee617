using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>Runs small products once in a process, so that a packed model's first call doesn't wait for loops to be compiled.</summary>
internal static class Rehearsal
{
    private const int Channels = 4;

    /// <summary>The positions of a tile of each width.</summary>
    private static readonly long[] Widths = [8, 16, 32, 64];

    private static readonly Lazy<bool> Linear = new(RunLinear);
    private static readonly Lazy<bool> Convolution = new(RunConvolution);

    /// <summary>Compiles what linear layers need.</summary>
    public static void OfLinear() => _ = Linear.Value;

    /// <summary>Compiles what convolutions need.</summary>
    public static void OfConvolution() => _ = Convolution.Value;

    private static bool RunLinear()
    {
        using var scope = NewDisposeScope();
        using var product = new SparseLinear(Ones(Channels, Channels), new(Activation: Activation.Gelu));
        foreach (var positions in (long[])[1, .. Widths])
            product.Run(Ones(positions, Channels));
        return true;
    }

    // Pictures read as they are, in windows, and in planes of every other column.
    private static bool RunConvolution()
    {
        using var scope = NewDisposeScope();
        foreach (var (size, stride) in ((int, int)[])[(1, 1), (3, 1), (3, 2)])
        {
            var axis = new ConvolutionAxis(stride, size / 2, size / 2);
            using var product = new SparseConvolution(Ones(Channels, Channels, size, size), [axis, axis], new(Activation: Activation.Relu));
            foreach (var width in Widths)
                product.Run(Ones(1, Channels, stride, stride * width));
        }

        return true;
    }

    private static Tensor Ones(params long[] shape) => ones(shape, ScalarType.Float32, CPU);
}
