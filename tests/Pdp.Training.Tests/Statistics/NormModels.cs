using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Statistics;

/// <summary>A small network with batch norms, and what of it may change.</summary>
internal static class NormModels
{
    /// <summary>The same network at each call.</summary>
    public static Sequential Network()
    {
        manual_seed(3);
        return Sequential(
            ("conv1", Conv2d(2, 3, 3)), ("norm1", BatchNorm2d(3)), ("relu", ReLU()), ("conv2", Conv2d(3, 4, 3)), ("norm2", BatchNorm2d(4)));
    }

    public static BatchNorm[] Norms(Module model) => [.. model.modules().OfType<BatchNorm>()];

    public static bool[] Flags(Module model) => [model.training, .. model.modules().Select(module => module.training)];

    public static string State(Module model) =>
        string.Join(" ", model.state_dict().Select(entry => $"{entry.Key}:{Convert.ToHexString(entry.Value.bytes)}"));
}
