using Pdp.Samples.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.ImageNet;

/// <summary>The networks by the names that settings have for them.</summary>
internal static class Networks
{
    private static readonly string[] Names = ["resnet18", "resnet50", "mobilenet-v1", "mobilenet-v2"];

    /// <summary>The name itself, if there is such a network.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Known(string name) =>
        Names.Contains(name) ? name : throw new ArgumentException(CommandLine.Unknown("network", name, Names));

    /// <summary>A network with fresh weights, drawn from libtorch's global generator.</summary>
    /// <exception cref="ArgumentException">The network has no blocks that could start at zero.</exception>
    public static Module<Tensor, Tensor> Make(Settings settings) => (settings.Model, settings.ZeroInitialResidual) switch
    {
        ("resnet18", var isZero) => ResNet.ResNet18(settings.Classes, isZero),
        ("resnet50", var isZero) => ResNet.ResNet50(settings.Classes, isZero),
        ("mobilenet-v1", false) => new MobileNetV1(settings.Classes),
        ("mobilenet-v2", false) => new MobileNetV2(settings.Classes),
        _ => throw new ArgumentException($"--zero-initial-residual is for ResNets, not for {settings.Model}."),
    };
}
