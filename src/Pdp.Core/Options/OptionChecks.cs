namespace Pdp.Options;

/// <summary>Checks what goes together.</summary>
internal static class OptionChecks
{
    /// <summary>The options as the method completes them, if there is one.</summary>
    /// <exception cref="ArgumentException">Some of them don't go together.</exception>
    public static PdpOptions InForce(PdpOptions options)
    {
        if (options.Importance is { } importance)
            RequireFitting(options, importance);
        if (options.Method is not { } method)
            return options;

        return options.Temperature is null && options.Rules.All(rule => rule.Temperature is null)
            ? method.Configure(options)
            : throw new ArgumentException($"{method.Name} has no soft mask: leave PdpOptions.Temperature and those of rules unset.", nameof(options));
    }

    /// <summary>Checks that a run can be saved and resumed.</summary>
    /// <exception cref="InvalidOperationException">Its method remembers more than a state holds.</exception>
    public static void RequireResumable(PdpOptions options)
    {
        if (options.Method is { } method)
            throw new InvalidOperationException($"A run of {method.Name} remembers more than a pruner's state holds, and can't be resumed: train it in one go.");
    }

    /// <summary>Checks what goes together with an importance.</summary>
    /// <exception cref="ArgumentException">Something doesn't.</exception>
    private static void RequireFitting(PdpOptions options, IImportance importance)
    {
        if (options.Method is { } method)
            throw new ArgumentException($"{method.Name} has its own way to rank weights: leave PdpOptions.Importance unset.", nameof(options));
        if (options.Rules.Select(rule => rule.Temperature).Append(options.Temperature).Any(temperature => temperature is { IsRelative: false }))
            throw new ArgumentException($"An absolute temperature is in units of weight², and the scores of {importance.Name} are not: use Temperature.Relative.", nameof(options));
    }
}
