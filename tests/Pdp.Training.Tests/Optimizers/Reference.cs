namespace Pdp.Training.Tests.Optimizers;

/// <summary>The optimizers' equations, written out for one weight in float64.</summary>
internal static class Reference
{
    /// <summary>The weight after steps with given gradients, by stochastic gradient descent.</summary>
    public static double Sgd(double weight, IEnumerable<double> gradients, SgdOptions options)
    {
        double? buffer = null;
        foreach (var gradient in gradients)
        {
            var direction = gradient + options.WeightDecay * weight;
            if (options.Momentum > 0)
            {
                buffer = buffer is { } old ? options.Momentum * old + (1 - options.Dampening) * direction : direction;
                direction = options.IsNesterov ? direction + options.Momentum * buffer.Value : buffer.Value;
            }

            weight -= options.LearningRate * direction;
        }

        return weight;
    }

    /// <summary>The weight after steps with given gradients, by Adam or AdamW.</summary>
    public static double Adam(double weight, IEnumerable<double> gradients, AdamOptions options, double decay, bool isDecoupled)
    {
        double mean = 0, square = 0, largest = 0, step = 0;
        foreach (var given in gradients)
        {
            step++;
            var gradient = isDecoupled ? given : given + decay * weight;
            weight = isDecoupled ? weight * (1 - options.LearningRate * decay) : weight;
            mean = options.Beta1 * mean + (1 - options.Beta1) * gradient;
            square = options.Beta2 * square + (1 - options.Beta2) * gradient * gradient;
            largest = options.UsesAmsGrad ? Math.Max(largest, square) : square;
            var unbiased = largest / (1 - Math.Pow(options.Beta2, step));
            weight -= options.LearningRate * mean / (1 - Math.Pow(options.Beta1, step)) / (Math.Sqrt(unbiased) + options.Epsilon);
        }

        return weight;
    }
}
