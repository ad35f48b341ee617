using CsCheck;
using Pdp.Sparse.Kernels;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests.Kernels;

public class SparseProductTests
{
    /// <summary>float32 sums of a few thousand products, relative to the largest result.</summary>
    private const double Tolerance = 1e-5;

    private static readonly Gen<double> Sparsity = Gen.Int[0, 6].Select(i => ((double[])[0, 0.3, 0.8, 0.9, 0.95, 0.99, 1])[i]);

    [Fact]
    public void Linear_OnRandomShapes_EqualsFloat64()
    {
        Gen.Select(Gen.Int[1, 400], Gen.Int[1, 300], Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, 200]), Sparsity, Gen.Bool).Sample(
            (inputs, outputs, tokens, sparsity, hasBias) =>
            {
                using var scope = NewDisposeScope();
                var (weight, x) = (Pruned([outputs, inputs], sparsity), randn(tokens, inputs));
                var bias = hasBias ? randn(outputs) : null;
                using var product = SparseProduct.Linear(weight, new(bias));

                var y = product.Run(x);

                AssertClose(functional.linear(x.to(float64), weight.to(float64), bias?.to(float64)), y);
            },
            iter: 150, seed: "0000KrT3nWY5", threads: 1);
    }

    [Fact]
    public void Convolution_OnRandomShapes_EqualsFloat64()
    {
        var axis = Gen.Select(Gen.Int[1, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 3], (stride, before, after, dilation) =>
            new ConvolutionAxis(stride, before, after, dilation));
        var window = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], axis, axis);
        var picture = Gen.Select(Gen.Int[1, 3], Gen.Int[1, 40], Gen.Int[1, 24], Gen.Int[1, 24]);
        Gen.Select(Gen.Int[1, 140], window, picture, Sparsity, Gen.Int[0, 3]).Sample(
            (outputs, window, picture, sparsity, layout) =>
            {
                using var scope = NewDisposeScope();
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
            iter: 400, seed: "0000KrT3nWY5", threads: 1);
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
