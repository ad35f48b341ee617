using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Pdp.Numerics.Kernels;
using Pdp.Sparse.Kernels;

namespace Pdp.Sparse.Tests.Kernels;

public sealed unsafe class PanelKernelTests
{
    private const int Rows = 200;
    private const int Columns = 300;

    /// <summary>Whether a product and a sum are rounded once.</summary>
    private static readonly bool IsFused = Fma.IsSupported || AdvSimd.IsSupported;

    /// <summary>For vectors of each width; wider ones than the processor's consist of several.</summary>
    private static readonly IPanelKernel[] Kernels =
        [new PanelKernel<Lanes128>(), new PanelKernel<Lanes256>(), new PanelKernel<Lanes512>()];

    [Fact]
    public void Multiply_InVectorsAndTilesOfAnyWidth_GivesTheBitsOfSumsInTheOrderOfColumns()
    {
        using var weight = new Memory(Rows * Columns);
        using var x = new Memory(Columns * Tile.MostWidth);
        var random = new Random(7);
        for (var i = 0; i < Rows * Columns; i++)
            weight.Start[i] = random.Next(10) == 0 ? random.NextSingle() - 0.5f : 0;
        for (var i = 0; i < Columns * Tile.MostWidth; i++)
            x.Start[i] = random.NextSingle() - 0.5f;
        using var matrix = new PackedMatrix(weight.Start, Rows, Columns, null);

        Assert.Equal([32, 64, 64], Kernels.Select(kernel => kernel.MostWidth));
        foreach (var kernel in Kernels)
        {
            for (var width = kernel.LeastWidth; width <= kernel.MostWidth; width *= 2)
                Assert.Equal(Sums(weight.Start, x.Start, width), Product(kernel, matrix, x.Start, width));
        }
    }

    [Fact]
    public void Gelu_InAnyVectors_IsThatOfFloat64() => Array.ForEach(Kernels, AssertGelu);

    [Fact]
    public void Clamp_OfNoNumber_IsNoneInAnyVectors()
    {
        using var memory = new Memory(16);
        foreach (var kernel in Kernels)
        {
            new Span<float>(memory.Start, 16).Fill(float.NaN);

            kernel.ClampAll(memory.Start, 16, 6);

            Assert.All(new Span<float>(memory.Start, 16).ToArray(), value => Assert.True(float.IsNaN(value)));
        }
    }

    /// <summary>What the kernel computes for the inputs x, [columns, width].</summary>
    private static float[] Product(IPanelKernel kernel, PackedMatrix matrix, float* x, int width)
    {
        using var y = new Memory(Rows * width);
        for (var block = 0; block < matrix.Blocks; block++)
        {
            for (var panel = 0; panel < matrix.Panels; panel++)
            {
                var slab = x + (block * matrix.BlockColumns * width);
                kernel.Multiply(matrix.Panel(block, panel), slab, y.Start + (panel * PackedMatrix.PanelRows * width), width);
            }
        }

        return new Span<float>(y.Start, Rows * width).ToArray();
    }

    /// <summary>The same, number by number.</summary>
    private static float[] Sums(float* weight, float* x, int width)
    {
        var sums = new float[Rows * width];
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++)
            {
                var value = weight[(row * Columns) + column];
                if (value == 0)
                    continue;
                for (var position = 0; position < width; position++)
                {
                    ref var sum = ref sums[(row * width) + position];
                    var input = x[(column * width) + position];
                    sum = IsFused ? MathF.FusedMultiplyAdd(value, input, sum) : sum + (value * input);
                }
            }
        }

        return sums;
    }

    private static void AssertGelu(IPanelKernel kernel)
    {
        const int Count = 1 << 12;
        using var memory = new Memory(Count);
        for (var i = 0; i < Count; i++)
            memory.Start[i] = (i - (Count / 2)) / 128f;
        var x = new Span<float>(memory.Start, Count).ToArray();

        kernel.GeluAll(memory.Start, Count);

        using var expected = TorchSharp.torch.nn.functional.gelu(TorchSharp.torch.tensor(x).to(TorchSharp.torch.float64));
        for (var i = 0; i < Count; i++)
            Assert.Equal(expected.ReadCpuDouble(i), memory.Start[i], 1e-6);
    }
}
