using CsCheck;
using Pdp.Sparse.Kernels;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests.Kernels;

public class SparseProductTests
{
    /// <summary>float32 sums of a few thousand products, relative to the largest result.</summary>
    private const double Tolerance = 1e-5;

    private static readonly Gen<double> Sparsity = Gen.Int[0, 6].Select(i => ((double[])[0, 0.3, 0.8, 0.9, 0.95, 0.99, 1])[i]);

    /// <summary>Of the numbers of weights and inputs.</summary>
    private static readonly Gen<int> Seed = Gen.Int[0, 1_000_000];

    public SparseProductTests() => manual_seed(5);

    [Fact]
    public void Linear_OnRandomShapes_EqualsFloat64()
    {
        var lengths = Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, 200]);
        Law.Holds(
            Gen.Select(Gen.Int[1, 400], Gen.Int[1, 300], lengths, Sparsity, Gen.Bool, Seed),
            layer =>
            {
                using var scope = NewDisposeScope();
                var (inputs, outputs, tokens, sparsity, hasBias, seed) = layer;
                manual_seed(seed);
                var (weight, x) = (Pruned([outputs, inputs], sparsity), randn(tokens, inputs));
                var bias = hasBias ? randn(outputs) : null;
                using var product = SparseProduct.Linear(weight, new(bias));

                var y = product.Run(x);

                AssertClose(functional.linear(x.to(float64), weight.to(float64), bias?.to(float64)), y);
            },
            count: 150);
    }

    [Fact]
    public void Convolution_OnRandomShapes_EqualsFloat64()
    {
        var axis = Gen.Select(Gen.Int[1, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 3], (stride, before, after, dilation) =>
            new ConvolutionAxis(stride, before, after, dilation));
        var windows = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], axis, axis);
        var sizes = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 40], Gen.Int[1, 24], Gen.Int[1, 24]);
        Law.Holds(
            Gen.Select(Gen.Int[1, 140], windows, sizes, Sparsity, Gen.Int[0, 3], Seed),
            layer =>
            {
                using var scope = NewDisposeScope();
                var (outputs, window, picture, sparsity, layout, seed) = layer;
                manual_seed(seed);
                var (kernelHeight, kernelWidth, down, across) = window;
                var (pictures, inputs, height, width) = picture;
                if (down.Outputs(height, kernelHeight) < 1 || across.Outputs(width, kernelWidth) < 1)
                    return;
                var (weight, bias) = (Pruned([outputs, inputs, kernelHeight, kernelWidth], sparsity), randn(outputs));
                var x = InLayout(randn(pictures, inputs, height, width), layout);
                using var product = SparseProduct.Convolution(weight, [down, across], new(bias));

                var y = product.Run(x);

                AssertClose(Expected(x, weight, bias, down, across), y);
            },
            count: 400);
    }

    [Fact]
    public void Products_WithAnAddendAndAnActivation_EqualFloat64()
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            using var scope = NewDisposeScope();
            var (weight, kernel, bias) = (Pruned([70, 90], 0.9), Pruned([70, 6, 3, 3], 0.9), randn(70));
            var (x, picture, addend, addends) = (randn(2, 37, 90), randn(2, 6, 9, 11), randn(2, 37, 70), randn(2, 70, 9, 11));
            var axis = new ConvolutionAxis(1, 1, 1);
            using var linear = SparseProduct.Linear(weight, new(bias, activation));
            using var convolution = SparseProduct.Convolution(kernel, [axis, axis], new(bias, activation));

            var (y, z) = (linear.Run(x, addend), convolution.Run(picture, addends));

            AssertClose(Activated(functional.linear(x.to(float64), weight.to(float64), bias.to(float64)) + addend, activation), y);
            AssertClose(Activated(Expected(picture, kernel, bias, axis, axis) + addends, activation), z);
        }
    }

    [Fact]
    public void Products_OnOneOrSeveralThreads_HaveTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var linear = SparseProduct.Linear(Pruned([500, 300], 0.9), new(randn(500)));
        using var convolution = SparseProduct.Convolution(Pruned([300, 20, 3, 3], 0.9), [new(2, 1, 1), new(1, 1, 1)], Epilogue.None);
        // Below 2^16 nonzeros, one vector is left to one thread.
        using var large = SparseProduct.Linear(Pruned([2000, 500], 0.9), Epilogue.None);
        var (x, picture, vector) = (randn(150, 300), randn(3, 20, 19, 23), randn(500));
        var (y, z, one) = (linear.Run(x), convolution.Run(picture), large.Run(vector));
        set_num_threads(Math.Max(2, Environment.ProcessorCount));
        try
        {
            for (var run = 0; run < 20; run++)
            {
                AssertSameBits(y, linear.Run(x));
                AssertSameBits(z, convolution.Run(picture));
                AssertSameBits(one, large.Run(vector));
            }
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [Fact]
    public void Products_OfSeveralCallersAtOnce_HaveTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var convolution = SparseProduct.Convolution(Pruned([150, 20, 3, 3], 0.9), [new(2, 1, 1), new(2, 1, 1)], Epilogue.None);
        Tensor[] pictures = [.. Enumerable.Range(0, 4).Select(i => randn(1, 20, 19 + i, 23))];
        Tensor[] expected = [.. pictures.Select(picture => convolution.Run(picture))];

        Parallel.For(0, 200, i =>
        {
            using var inner = NewDisposeScope();
            AssertSameBits(expected[i % 4], convolution.Run(pictures[i % 4]));
        });
    }

    [Fact]
    public void Products_OfInputsThatAreNoNumbers_AreThoseOfTheNonzeros()
    {
        using var scope = NewDisposeScope();
        var weight = Pruned([40, 30], 0.8);
        var x = randn(20, 30);
        x[3, 7] = tensor(float.NaN);
        x[5, 2] = tensor(float.PositiveInfinity);
        using var product = SparseProduct.Linear(weight, Epilogue.None);

        var y = product.Run(x);

        AssertSameBits(weight.select(1, 7).ne(tensor(0f)).to(float32), y[3].isnan().to(float32));
        AssertSameBits(weight.select(1, 2).ne(tensor(0f)).to(float32), y[5].isinf().to(float32));
    }

    [Fact]
    public void Linear_OfStridedInputs_EqualsThatOfACopy()
    {
        using var scope = NewDisposeScope();
        using var product = SparseProduct.Linear(Pruned([60, 50], 0.9), new(randn(60)));
        Tensor[] inputs =
        [
            randn(50, 33).t(), randn(33, 80).narrow(1, 7, 50), randn(4, 50, 9).transpose(1, 2), randn(50), randn(50, 1).t(), empty(0, 50),
        ];

        foreach (var x in inputs)
            AssertSameBits(product.Run(x.contiguous()), product.Run(x));
    }

    [Fact]
    public void Run_WithInputsThatDoNotFit_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var linear = SparseProduct.Linear(Pruned([6, 5], 0.5), Epilogue.None);
        using var convolution = SparseProduct.Convolution(Pruned([6, 5, 3, 3], 0.5), [new(1), new(1)], Epilogue.None);

        var inputs = Assert.Throws<ArgumentException>(() => linear.Run(randn(2, 6)));
        var channels = Assert.Throws<ArgumentException>(() => convolution.Run(randn(1, 6, 9, 9)));

        Assert.Contains("[..., 5]", inputs.Message, StringComparison.Ordinal);
        Assert.Contains("5 are needed", channels.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => convolution.Run(randn(1, 5, 2, 9)));
        Assert.Throws<ArgumentException>(() => linear.Run(randn(2, 5).to(float64)));
        Assert.Throws<ArgumentException>(() => linear.Run(randn(2, 5), randn(3, 6)));
    }

    [Fact]
    public void Run_AgainAndAgain_LeavesNoTensor()
    {
        using var linear = SparseProduct.Linear(Pruned([60, 50], 0.9), Epilogue.None);
        using var x = randn(50, 33);

        Leaks.None(() =>
        {
            using var transposed = x.t();
            using var y = linear.Run(transposed);
        });
    }

    private static Tensor Activated(Tensor x, Activation activation) => activation switch
    {
        Activation.Relu => functional.relu(x),
        Activation.Relu6 => functional.relu6(x),
        Activation.Gelu => functional.gelu(x),
        _ => x,
    };

    private static void AssertSameBits(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.contiguous().bytes.SequenceEqual(actual.contiguous().bytes));
    }

    private static Tensor Expected(Tensor x, Tensor weight, Tensor bias, ConvolutionAxis down, ConvolutionAxis across)
    {
        var padded = functional.pad(x.to(float64), [across.Before, across.After, down.Before, down.After]);
        return functional.conv2d(
            padded, weight.to(float64), bias.to(float64), [down.Stride, across.Stride], [0, 0], [down.Dilation, across.Dilation]);
    }

    /// <summary>The same numbers: as they are, with the channels last, as a part of larger pictures, transposed.</summary>
    private static Tensor InLayout(Tensor x, int layout) => layout switch
    {
        1 => x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        2 => functional.pad(x, [1, 2, 2, 1]).narrow(2, 2, x.size(2)).narrow(3, 1, x.size(3)),
        3 => x.transpose(2, 3).contiguous().transpose(2, 3),
        _ => x,
    };

    private static Tensor Pruned(long[] shape, double sparsity)
    {
        var weight = randn(shape);
        return weight.mul(rand(shape).ge(tensor((float)sparsity)).to(float32));
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var scale = Math.Max(1, expected.abs().max().item<double>());
        var error = actual.to(float64).sub(expected).abs().max().item<double>();
        Assert.True(error <= Tolerance * scale, $"off by {error}, of {scale}");
    }
}
