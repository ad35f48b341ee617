using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.Models;

/// <summary>How torchvision starts its convolutional networks.</summary>
internal static class Initialization
{
    /// <summary>
    /// Draws the weights of convolutions from a normal distribution of variance 2 / fan-out (He et al. 2015). Batch-norms
    /// start at scale 1 and shift 0 as they are made.
    /// </summary>
    public static void Apply(Module model)
    {
        foreach (var convolution in model.modules().OfType<Conv2d>())
        {
            init.kaiming_normal_(convolution.weight, mode: init.FanInOut.FanOut, nonlinearity: init.NonlinearityType.ReLU);
        }

        foreach (var norm in model.modules().OfType<BatchNorm2d>())
        {
            // Counting batches serves cumulative averages only, and TorchSharp 0.107 counts with a Scalar that the
            // garbage collector may free while it is read.
            norm.num_batches_tracked = null;
        }
    }
}
