using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Tests.Models;

/// <summary>The networks for ImageNet by name, as theories can only be given names.</summary>
internal static class Network
{
    public static Module<Tensor, Tensor> Make(string name, int classes = 1000) => name switch
    {
        nameof(ResNet.ResNet18) => ResNet.ResNet18(classes),
        nameof(ResNet.ResNet50) => ResNet.ResNet50(classes),
        nameof(MobileNetV1) => new MobileNetV1(classes),
        nameof(MobileNetV2) => new MobileNetV2(classes),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such network."),
    };
}
