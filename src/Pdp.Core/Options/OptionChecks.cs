namespace Pdp.Options;

/// <summary>Checks combinations of options.</summary>
internal static class OptionChecks
{
    /// <summary>The options in force: completed by the method, if there is one.</summary>
    /// <exception cref="ArgumentException">Some of them can't be combined.</exception>
    public static PdpOptions InForce(PdpOptions options)
    {
        var completed = Completed(options);
        RequireUsed(completed);
        return completed;
    }

    private static PdpOptions Completed(PdpOptions options)
    {
        if (options.Importance is { } importance)
            RequireFitting(options, importance);
        foreach (var rule in options.Rules.Append(null))
            (rule?.Temperature ?? options.Temperature)?.Fitting(rule?.GradientTemperature ?? options.GradientTemperature, nameof(options));
        if (options.Method is not { } method)
            return options;

        return TemperaturesOf(options).All(temperature => temperature is null)
            ? method.Configure(options)
            : throw new ArgumentException(
                $"{method.Name} has no soft mask: leave the temperatures of PdpOptions and of rules unset.", nameof(options));
    }

    /// <summary>Checks that a run can be saved and resumed.</summary>
    /// <exception cref="InvalidOperationException">Its method has state that can't be saved.</exception>
    public static void RequireResumable(PdpOptions options)
    {
        if (options.Method is { } method)
            throw new InvalidOperationException(
                $"{method.Name} has state of its own that a pruner's state doesn't hold, so a run can't be resumed: train it in one go.");
    }

    /// <summary>
    /// Checks that a map of channels is of use, and a count of MACs; without a map single weights would be pruned, and nothing shrunk.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// No strategy is that of channels, a budget has another map, or a count has none that removes channels from it.
    /// </exception>
    private static void RequireUsed(PdpOptions options)
    {
        var strategies = options.Rules.Select(rule => rule.Strategy).Append(options.Strategy);
        if (options.Channels is not null && !strategies.Any(strategy => strategy is PerChannel))
            throw new ArgumentException(
                $"PdpOptions.Channels is for channels, but the strategy is {options.Strategy.Name}: set Strategy = new PerChannel(), in "
                + "the options or in a rule, or leave Channels unset.", nameof(options));
        if (options is { Channels: null, Macs: not null })
            throw new ArgumentException(
                "PdpOptions.Macs says what channels cost that are removed by a map: set Channels, too, or leave Macs unset.",
                nameof(options));
        if (options is { Channels: { } map, Allocation: MacBudget budget } && map.GroupUnlikeIn(budget.Channels) is { } other)
            throw new ArgumentException(
                $"The budget of MACs is for another channel map: the group '{other}' has other members there. Make the MacBudget with the "
                + "map of PdpOptions.Channels.", nameof(options));
    }

    /// <summary>Checks that the other options can be combined with an importance.</summary>
    /// <exception cref="ArgumentException">One can't.</exception>
    private static void RequireFitting(PdpOptions options, IImportance importance)
    {
        if (options.Method is { } method)
            throw new ArgumentException(
                $"{method.Name} ranks weights in its own way: leave PdpOptions.Importance unset.", nameof(options));
        if (TemperaturesOf(options).Any(temperature => temperature is { IsRelative: false }))
            throw new ArgumentException(
                $"An absolute temperature is in units of weight², but the scores of {importance.Name} are not: use Temperature.Relative.",
                nameof(options));
    }

    private static IEnumerable<Temperature?> TemperaturesOf(PdpOptions options) =>
        options.Rules.SelectMany(rule => new[] { rule.Temperature, rule.GradientTemperature })
            .Append(options.Temperature)
            .Append(options.GradientTemperature);
}
