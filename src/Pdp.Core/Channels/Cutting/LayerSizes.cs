using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Cutting;

/// <summary>Updates the sizes that a layer stores after its weight has been cut.</summary>
/// <remarks>
/// TorchSharp's convolutions check their input against these sizes and offer no way to set them, so their fields are written directly.
/// </remarks>
internal static class LayerSizes
{
    public static void Update(Module module)
    {
        switch (module)
        {
            case ConvolutionTranspose transposed:
                InChannels(transposed) = transposed.weight.shape[0];
                OutChannels(transposed) = transposed.weight.shape[1] * transposed.groups;
                break;
            case Convolution convolution:
                InChannels(convolution) = convolution.weight.shape[1] * convolution.groups;
                OutChannels(convolution) = convolution.weight.shape[0];
                break;
            case Linear linear:
                linear.in_features = linear.weight.shape[1];
                linear.out_features = linear.weight.shape[0];
                break;
            case NormBase { weight: { } weight } norm:
                SetFeatures(norm, weight.shape[0]);
                break;
            case NormBase { running_mean: { } mean } norm:
                SetFeatures(norm, mean.shape[0]);
                break;
            case PReLU prelu:
                SetParameters(prelu, prelu.weight.shape[0]);
                break;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<in_channels>k__BackingField")]
    private static extern ref long InChannels(Convolution convolution);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<out_channels>k__BackingField")]
    private static extern ref long OutChannels(Convolution convolution);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_num_features")]
    private static extern void SetFeatures(NormBase norm, long features);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_num_parameters")]
    private static extern void SetParameters(PReLU prelu, long parameters);
}
