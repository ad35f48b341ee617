using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>A convolution without bias, its batch-norm and perhaps an activation, named 0, 1 and 2 as torchvision does.</summary>
internal static class ConvNorm
{
    /// <summary>A 1×1 convolution that brings a shortcut to another shape.</summary>
    public static Sequential Projection(int inputs, int outputs, int stride) => Sequential(
        ("0", Conv2d(inputs, outputs, 1, stride: stride, bias: false)),
        ("1", BatchNorm2d(outputs)));

    /// <summary>A dense convolution that keeps the picture's size except for the stride.</summary>
    public static Sequential Dense(int inputs, int outputs, int kernel, int stride, Module<Tensor, Tensor> activation) => Sequential(
        ("0", Conv2d(inputs, outputs, kernel, stride: stride, padding: (kernel - 1) / 2, bias: false)),
        ("1", BatchNorm2d(outputs)),
        ("2", activation));

    /// <summary>A 3×3 convolution of each channel by itself.</summary>
    public static Sequential Depthwise(int channels, int stride, Module<Tensor, Tensor> activation) => Sequential(
        ("0", Conv2d(channels, channels, 3, stride: stride, padding: 1, groups: channels, bias: false)),
        ("1", BatchNorm2d(channels)),
        ("2", activation));
}
