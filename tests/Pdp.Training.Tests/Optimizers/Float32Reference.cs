namespace Pdp.Training.Tests.Optimizers;

/// <summary>The optimizers' equations for one weight in float32, rounded where libtorch's kernels round: a·b + c once.</summary>
internal static class Float32Reference
{
    /// <summary>The weight after steps with given gradients, by stochastic gradient descent.</summary>
    public static float Sgd(float weight, IEnumerable<float> gradients, SgdOptions options)
    {
        float? buffer = null;
        var (momentum, share) = ((float)options.Momentum, (float)(1 - options.Dampening));
        foreach (var gradient in gradients)
        {
            var direction = MathF.FusedMultiplyAdd(weight, (float)options.WeightDecay, gradient);
            if (options.Momentum > 0)
            {
                buffer = buffer is { } old ? MathF.FusedMultiplyAdd(share, direction, old * momentum) : direction;
                direction = options.IsNesterov ? MathF.FusedMultiplyAdd(buffer.Value, momentum, direction) : buffer.Value;
            }

            weight = MathF.FusedMultiplyAdd(direction, -(float)options.LearningRate, weight);
        }

        return weight;
    }

    /// <summary>The weight after steps with given gradients, by Adam or AdamW.</summary>
    public static float Adam(float weight, IEnumerable<float> gradients, AdamOptions options, double decay, bool isDecoupled)
    {
        float mean = 0, square = 0, largest = 0;
        var step = 0;
        foreach (var given in gradients)
        {
            step++;
            var gradient = isDecoupled ? given : MathF.FusedMultiplyAdd(weight, (float)decay, given);
            weight = isDecoupled ? weight * (float)(1 - (options.LearningRate * decay)) : weight;
            mean = MathF.FusedMultiplyAdd((float)(1 - options.Beta1), gradient - mean, mean);
            square = MathF.FusedMultiplyAdd((float)(1 - options.Beta2) * gradient, gradient, square * (float)options.Beta2);
            largest = options.UsesAmsGrad ? Math.Max(largest, square) : square;
            var denominator = (MathF.Sqrt(largest) / (float)Math.Sqrt(1 - Math.Pow(options.Beta2, step))) + (float)options.Epsilon;
            weight += (float)(-options.LearningRate / (1 - Math.Pow(options.Beta1, step))) * mean / denominator;
        }

        return weight;
    }
}
