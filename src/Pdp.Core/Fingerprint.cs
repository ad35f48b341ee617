using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Pdp;

/// <summary>Words and a hash for options and the layers that they chose.</summary>
internal static class Fingerprint
{
    /// <summary>The options that steer training, in words; the choice of layers is told by the layers themselves.</summary>
    public static string Describe(PdpOptions options) => JsonSerializer.Serialize(new
    {
        options.Epochs,
        options.Sparsity,
        Strategy = options.Strategy.Describe(),
        Allocation = options.Allocation.Describe(),
        Schedule = options.EffectiveSchedule.Describe(),
        Temperature = Words(options.EffectiveTemperature),
        AutomaticStart = options.AutomaticStart is { } start ? Words(start) : null,
        // Not its properties: a user's method may hold the model, tensors or functions.
        Method = options.Method?.Name,
        options.MinimumLayerSparsity,
        options.MaximumLayerSparsity,
    });

    /// <summary>A hash over the options and the pruned layers with their overrides.</summary>
    public static string Of(PdpOptions options, IEnumerable<PrunedLayer> layers)
    {
        var text = new StringBuilder(Describe(options));
        foreach (var (weight, rule) in layers)
            text.Append('\n').Append(string.Join('|', weight.Mask.Name, weight.Mask.Layout, weight.Type, weight.Mask.Strategy.Describe(), Words(weight.Mask.Temperature), rule is null ? "" : Words(rule with { Strategy = null })));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>A type's name and its properties; independent of the culture, as JSON is.</summary>
    private static string Words(object value) => $"{value.GetType().Name} {JsonSerializer.Serialize(value, value.GetType())}";
}
