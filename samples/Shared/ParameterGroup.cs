using TorchSharp.Modules;

namespace Pdp.Samples;

/// <summary>Parameters that share a weight decay.</summary>
internal sealed record ParameterGroup(IReadOnlyList<(string Name, Parameter Parameter)> Parameters, double WeightDecay)
{
    /// <summary>Two groups: weights of two or more dimensions decay, biases and the scales and shifts of norms do not.</summary>
    public static ParameterGroup[] WeightsOnly(IEnumerable<(string Name, Parameter Parameter)> parameters, double weightDecay)
    {
        var isWeight = parameters.ToLookup(entry => entry.Parameter.dim() > 1);
        return [new([.. isWeight[true]], weightDecay), new([.. isWeight[false]], 0)];
    }
}
