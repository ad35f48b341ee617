using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Layers;

/// <summary>How a convolution moved its window when this was made; nothing for a linear layer.</summary>
/// <param name="layer">The layer.</param>
internal sealed class ConvolutionSettings(Module layer)
{
    private readonly Convolution? _convolution = layer as Convolution;
    private readonly long[][] _numbers = layer is Convolution convolution ? [.. NumbersOf(convolution).Select(Copy)] : [];
    private readonly PaddingModes _mode = (layer as Convolution)?.padding_mode ?? default;

    // Same padding and none have no numbers.
    private readonly Padding? _padding = (layer as Convolution)?.padding_type;

    /// <summary>Whether it still moves it like that; nothing is allocated.</summary>
    public bool Stand => _convolution is null
        || (_convolution.padding_mode == _mode && _convolution.padding_type == _padding && _convolution.groups == _numbers[0][0]
            && IsSame(_convolution.stride, _numbers[1]) && IsSame(_convolution.dilation, _numbers[2])
            && IsSame(_convolution.padding, _numbers[3]));

    private static long[]?[] NumbersOf(Convolution convolution) =>
        [[convolution.groups], convolution.stride, convolution.dilation, convolution.padding];

    private static long[] Copy(long[]? numbers) => [.. numbers ?? []];

    private static bool IsSame(long[]? numbers, long[] before) => numbers.AsSpan().SequenceEqual(before);
}
