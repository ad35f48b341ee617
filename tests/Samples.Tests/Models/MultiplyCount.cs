using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Tests.Models;

/// <summary>Counts the multiplications of convolutions and linear layers in a real forward pass.</summary>
internal static class MultiplyCount
{
    public static long Of(Module<Tensor, Tensor> model, Tensor input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var count = 0L;
        foreach (var convolution in model.modules().OfType<Conv2d>())
        {
            convolution.register_forward_hook((_, _, output) =>
            {
                count += output.numel() * convolution.weight.numel() / convolution.weight.size(0);
                return output;
            });
        }

        foreach (var linear in model.modules().OfType<Linear>())
        {
            linear.register_forward_hook((_, _, output) =>
            {
                count += output.numel() * linear.weight.size(1);
                return output;
            });
        }

        model.eval();
        model.call(input);
        return count;
    }
}
