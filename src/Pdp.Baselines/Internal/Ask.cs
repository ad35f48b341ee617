using System.Globalization;
using System.Runtime.CompilerServices;

namespace Pdp.Baselines.Internal;

/// <summary>Checks options and arguments.</summary>
internal static class Ask
{
    /// <summary>Checks that a method supports all strategies in the options.</summary>
    /// <exception cref="ArgumentException">One is not supported.</exception>
    public static PdpOptions Strategies(PdpOptions options, string method, params (Type Type, string Name)[] defined)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var strategy in options.Rules.Select(rule => rule.Strategy).Append(options.Strategy).OfType<IMaskStrategy>())
        {
            if (!defined.Any(one => one.Type == strategy.GetType()))
                throw new ArgumentException(
                    $"{method} is not defined for the strategy {strategy.Name}; it supports "
                    + $"{string.Join(", ", defined.Select(one => one.Name))}.", nameof(options));
        }

        return options;
    }

    /// <summary>Whether layers are ranked together, as under the default allocation; any other allocation gives each its count.</summary>
    /// <exception cref="ArgumentException">They are, but the options assign sparsities to layers.</exception>
    public static bool RanksGlobally(PdpOptions options, string method)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!IsRanking(options))
            return false;

        return !HasLayerSparsities(options)
            ? true
            : throw new ArgumentException(
                $"{method} ranks the weights of all layers together, so no layer can have a sparsity of its own: leave the sparsities of "
                + "rules, the minimum and maximum sparsity of layers and Allocation, which has a density floor, unset, or choose another "
                + "allocation, such as UniformSparsity, whose counts it keeps.", nameof(options));
    }

    /// <summary>The options of a method that ranks all weights by itself, without a floor, so that plan and state promise none.</summary>
    public static PdpOptions WithoutFloor(PdpOptions options) =>
        IsRanking(options) ? options with { Allocation = new GlobalMagnitude { DensityFloor = 0 } } : options;

    /// <summary>Whether options assign sparsities, bounds or a floor to layers.</summary>
    public static bool HasLayerSparsities(PdpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.MinimumLayerSparsity > 0 || options.MaximumLayerSparsity < 1
            || options.Allocation is GlobalMagnitude { DensityFloor: > 0 }
            || options.Rules.Any(rule => rule.Sparsity is not null || rule.MinimumSparsity is not null || rule.MaximumSparsity is not null);
    }

    /// <summary>Checks that options leave it to the method how much each layer loses.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    public static PdpOptions NoShares(PdpOptions options, string method, string deciders)
    {
        ArgumentNullException.ThrowIfNull(options);
        return IsRanking(options) && !HasLayerSparsities(options)
            ? options
            : throw new ArgumentException(
                $"The {deciders} of {method} decide how much each layer loses: leave Allocation and its floor, MinimumLayerSparsity, "
                + "MaximumLayerSparsity and the sparsities of rules unset.", nameof(options));
    }

    private static bool IsRanking(PdpOptions options) => options.Allocation is null or GlobalMagnitude;

    /// <summary>A number that is at least 0.</summary>
    public static double NotNegative(double value, [CallerMemberName] string name = "") =>
        Within(value, value >= 0 && double.IsFinite(value), "[0, ∞)", name);

    /// <summary>A number above 0.</summary>
    public static double Positive(double value, [CallerMemberName] string name = "") =>
        Within(value, value > 0 && double.IsFinite(value), "(0, ∞)", name);

    /// <summary>A fraction in [0, 1); a value that looks like a percentage is shown as the fraction to write.</summary>
    public static double Fraction(double value, [CallerMemberName] string name = "") => Within(
        value,
        value is >= 0 and < 1,
        value is > 1 and < 100
            ? string.Create(CultureInfo.InvariantCulture, $"[0, 1), a fraction: {value / 100:0.######}, not {value:0.######}")
            : "[0, 1)",
        name);

    /// <summary>A value that is in its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public static T Within<T>(T value, bool isValid, string range, [CallerMemberName] string name = "") =>
        isValid ? value : throw new ArgumentOutOfRangeException(name, value, $"Must be in {range}.");
}
