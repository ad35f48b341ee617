using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>SGD with Nesterov momentum and coupled decay in plain numbers: u = g + λ·w, v ← μ·v + u, w ← w − η·(u + μ·v).</summary>
internal sealed class NesterovByHand(IReadOnlyList<Tensor> weights, DcpOptions options)
{
    private readonly double[][] _velocities = [.. weights.Select(weight => new double[weight.numel()])];

    /// <summary>A step; gradients are none then.</summary>
    public void Step()
    {
        foreach (var (weight, velocity) in weights.Zip(_velocities))
        {
            var (values, gradient) = (weight.Values(), weight.grad!.Values());
            for (var i = 0; i < values.Length; i++)
            {
                var pull = gradient[i] + (options.WeightDecay * values[i]);
                velocity[i] = (options.Momentum * velocity[i]) + pull;
                values[i] -= options.LearningRate * (pull + (options.Momentum * velocity[i]));
            }

            Tensors.Fill(weight, values);
            weight.grad = null;
        }
    }
}
