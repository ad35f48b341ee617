using System.Globalization;
using Pdp.Allocation;
using Pdp.Internal;
using Pdp.Masking;
using Pdp.Scheduling;

namespace Pdp.Saving;

/// <summary>Describes the settings that determine targets and masks, by name; a saved run is compared with them.</summary>
/// <remarks>
/// Only effective settings are listed: the strategy and the temperature of each layer, not the options and rules that they come from.
/// Settings whose default changes nothing are left out at their default, so that a later version may have more of them and still read these
/// states.
/// </remarks>
internal static class RunSettings
{
    /// <summary>The settings of the whole run.</summary>
    public static Dictionary<string, string> Of(
        Timetable times, SparsityGoal goal, IImportance? importance, IEnumerable<PrunedLayer> layers)
    {
        var settings = new Dictionary<string, string> { ["Schedule"] = times.Schedule.Describe() };
        if (times.AutomaticStart is { } start)
            settings["AutomaticStart"] = string.Create(CultureInfo.InvariantCulture, $"above {start.Level:R} in {start.Epochs} reports");
        if (importance is not null)
            settings["Importance"] = importance.Describe();
        if (!layers.Any(IsFree))
            return settings;

        settings["Allocation"] = goal.Allocation.Describe();
        Add(settings, "Sparsity", goal.Sparsity);
        return settings;
    }

    /// <summary>The settings of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="goal">How much is removed.</param>
    /// <param name="temperatures">The temperatures that the options give the layer; that of the gradient may be null.</param>
    /// <param name="tied">The names of the parameters that are masked along with it.</param>
    public static IReadOnlyDictionary<string, string> Of(
        PrunedLayer layer, SparsityGoal goal, (Temperature Mask, Temperature? Gradient) temperatures, IEnumerable<string> tied)
    {
        var (mask, rule) = (layer.Mask, layer.Rule);
        var settings = new Dictionary<string, string>
        {
            ["Shape"] = Of(mask.Layout),
            ["Type"] = layer.Group.Type.ToString(),
            ["Strategy"] = mask.Strategy.Describe(),
            ["Temperature"] = Of(temperatures.Mask),
        };
        if (temperatures.Gradient is { } gradient)
            settings["GradientTemperature"] = Of(gradient);
        if (string.Join(", ", tied) is { Length: > 0 } names)
            settings["Tied"] = names;
        Add(settings, "Sparsity", rule?.Sparsity);
        if (IsFree(layer))
            AddBounds(settings, rule?.MinimumSparsity ?? goal.Minimum,
                rule?.MaximumSparsity ?? goal.Maximum);
        return settings;
    }

    /// <summary>Whether the allocation decides how much of a layer is removed.</summary>
    private static bool IsFree(PrunedLayer layer) => layer.Mask.Strategy.FixedSparsity is null && layer.Rule?.Sparsity is null;

    private static string Of(Temperature temperature)
    {
        var first = $"{(temperature.IsRelative ? "relative" : "absolute")} {InvariantText.Of(temperature.From)}";
        var window = $"from epoch {InvariantText.Of(temperature.StartEpoch)} to {InvariantText.Of(temperature.EndEpoch)}";
        var annealed = temperature.From == temperature.To ? first : $"{first}, annealed to {InvariantText.Of(temperature.To)} {window}";
        var hardened = temperature.HardEpoch is { } epoch ? $"{annealed}, hard from epoch {InvariantText.Of(epoch)}" : annealed;
        return temperature.HasRadialCorrection ? $"{hardened}, corrected along the weights" : hardened;
    }

    private static string Of(WeightLayout layout) =>
        string.Create(CultureInfo.InvariantCulture, $"{layout} with {layout.Inputs} inputs along dimension {layout.InputDimension}");

    private static void AddBounds(Dictionary<string, string> settings, double minimum, double maximum)
    {
        Add(settings, "MinimumSparsity", minimum > 0 ? minimum : null);
        Add(settings, "MaximumSparsity", maximum < 1 ? maximum : null);
    }

    private static void Add(Dictionary<string, string> settings, string name, double? value)
    {
        if (value is { } number)
            settings[name] = InvariantText.Of(number);
    }
}
