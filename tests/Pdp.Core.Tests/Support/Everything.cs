using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>All that a model is, to compare bit for bit.</summary>
internal static class Everything
{
    /// <summary>
    /// Values, gradients and shapes of all parameters and buffers, what learns, what trains, and the sizes that layers remember.
    /// </summary>
    public static string[] Of(Module model)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. model.named_parameters().Select(pair => $"{pair.name} {pair.parameter.requires_grad} {Words(pair.parameter)} ∂ "
            + $"{(pair.parameter.grad is { } gradient ? Words(gradient) : "none")}"),
            .. model.named_buffers().Select(pair => $"{pair.name} {Words(pair.buffer)}"),
            .. model.named_modules().Select(pair => $"{pair.name} {pair.module.training} {Sizes(pair.module)}"),
        ];
    }

    private static string Words(Tensor tensor) =>
        $"{tensor.dtype} [{string.Join(", ", tensor.shape)}] {Convert.ToHexString(tensor.Bits())}";

    private static string Sizes(Module module) => module switch
    {
        Convolution layer => $"{layer.in_channels} {layer.out_channels} {layer.groups}",
        Linear layer => $"{layer.in_features} {layer.out_features}",
        NormBase norm => $"{norm.num_features}",
        _ => "",
    };
}
