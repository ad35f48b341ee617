using Pdp.Numerics.Kernels;
using Pdp.Sparse.Kernels;

namespace Pdp.Sparse.Tests.Kernels;

public sealed unsafe class PanelKernelTests
{
    private const int Rows = 200;
    private const int Columns = 300;

    [Fact]
    public void Multiply_InAnyVectors_GivesTheSumsInTheOrderOfColumns()
    {
        AssertProducts(new PanelKernel<Lanes128>(), 32);
        AssertProducts(new PanelKernel<Lanes256>(), 64);
        AssertProducts(new PanelKernel<Lanes512>(), 64);
    }

    [Fact]
    public void Gelu_InAnyVectors_IsThatOfFloat64()
    {
        AssertGelu(new PanelKernel<Lanes128>());
        AssertGelu(new PanelKernel<Lanes256>());
        AssertGelu(new PanelKernel<Lanes512>());
    }

    [Fact]
    public void Clamp_OfNoNumber_IsNone()
    {
        using var memory = new Memory(16);
        new Span<float>(memory.Start, 16).Fill(float.NaN);

        new PanelKernel<Lanes256>().ClampAll(memory.Start, 16, 6);

        Assert.All(new Span<float>(memory.Start, 16).ToArray(), value => Assert.True(float.IsNaN(value)));
    }

    private static void AssertProducts(IPanelKernel kernel, int mostWidth)
    {
        Assert.Equal(mostWidth, kernel.MostWidth);
        for (var width = kernel.LeastWidth; width <= mostWidth; width *= 2)
            AssertProduct(kernel, width);
    }

    private static void AssertProduct(IPanelKernel kernel, int width)
    {
        var random = new Random(width);
        using var weight = new Memory(Rows * Columns);
        using var slab = new Memory(Columns * width);
        using var y = new Memory(Rows * width);
        for (var i = 0; i < Rows * Columns; i++)
            weight.Start[i] = random.Next(10) == 0 ? random.NextSingle() - 0.5f : 0;
        for (var i = 0; i < Columns * width; i++)
            slab.Start[i] = random.NextSingle() - 0.5f;
        using var matrix = new PackedMatrix(weight.Start, Rows, Columns, null);

        for (var block = 0; block < matrix.Blocks; block++)
        {
            for (var panel = 0; panel < matrix.Panels; panel++)
            {
                var x = slab.Start + (block * matrix.BlockColumns * width);
                kernel.Multiply(matrix.Panel(block, panel), x, y.Start + (panel * PackedMatrix.PanelRows * width), width);
            }
        }

        for (var row = 0; row < Rows; row++)
        {
            for (var position = 0; position < width; position++)
            {
                var expected = Product(weight.Start + (row * Columns), slab.Start + position, width);
                Assert.Equal(expected, y.Start[(row * width) + position], 1e-5);
            }
        }
    }

    private static double Product(float* weights, float* x, int stride)
    {
        var sum = 0.0;
        for (var column = 0; column < Columns; column++)
            sum += (double)weights[column] * x[column * stride];
        return sum;
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
