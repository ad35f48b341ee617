using System.Globalization;
using System.Runtime.CompilerServices;

namespace Pdp.Baselines.Internal;

/// <summary>Checks of what users ask for.</summary>
internal static class Ask
{
    /// <summary>Checks that all strategies that options name are among those that a method defines.</summary>
    /// <exception cref="ArgumentException">One is not.</exception>
    public static PdpOptions Strategies(PdpOptions options, string method, params (Type Type, string Name)[] defined)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var strategy in options.Rules.Select(rule => rule.Strategy).Append(options.Strategy).OfType<IMaskStrategy>())
        {
            if (!defined.Any(one => one.Type == strategy.GetType()))
                throw new ArgumentException($"{method} is not defined for the strategy {strategy.Name}; it can do {string.Join(", ", defined.Select(one => one.Name))}.", nameof(options));
        }

        return options;
    }

    /// <summary>Whether layers are ranked together, as the default allocation does; under any other each has the count that it gives.</summary>
    /// <exception cref="ArgumentException">They are, and the options give layers sparsities of their own.</exception>
    public static bool RanksGlobally(PdpOptions options, string method)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Allocation is not GlobalMagnitude)
            return false;

        return !HasLayerSparsities(options)
            ? true
            : throw new ArgumentException($"{method} ranks the weights of all layers together, so that no layer has a sparsity of its own: leave those of rules and the least and largest sparsity of layers unset, or choose another allocation, such as UniformSparsity, whose counts it keeps.", nameof(options));
    }

    /// <summary>Whether options give layers sparsities, or bounds, of their own.</summary>
    public static bool HasLayerSparsities(PdpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.MinimumLayerSparsity > 0 || options.MaximumLayerSparsity < 1
            || options.Rules.Any(rule => rule.Sparsity is not null || rule.MinimumSparsity is not null || rule.MaximumSparsity is not null);
    }

    /// <summary>Checks that options leave it to a method what each layer loses.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    public static PdpOptions NoShares(PdpOptions options, string method, string deciders)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Allocation is GlobalMagnitude && !HasLayerSparsities(options)
            ? options
            : throw new ArgumentException($"The {deciders} of {method} decide what each layer loses: leave Allocation, MinimumLayerSparsity, MaximumLayerSparsity and the sparsities of rules unset.", nameof(options));
    }

    /// <summary>A number that is at least 0.</summary>
    public static double NotNegative(double value, [CallerMemberName] string name = "") => Within(value, value >= 0 && double.IsFinite(value), "[0, ∞)", name);

    /// <summary>A number above 0.</summary>
    public static double Positive(double value, [CallerMemberName] string name = "") => Within(value, value > 0 && double.IsFinite(value), "(0, ∞)", name);

    /// <summary>A fraction of a whole, in [0, 1); who wrote per cent is told how the fraction is written.</summary>
    public static double Fraction(double value, [CallerMemberName] string name = "") => Within(
        value,
        value is >= 0 and < 1,
        value is > 1 and < 100 ? string.Create(CultureInfo.InvariantCulture, $"[0, 1), a fraction: {value / 100:0.######}, not {value:0.######}") : "[0, 1)",
        name);

    /// <summary>A value that is in its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public static T Within<T>(T value, bool isValid, string range, [CallerMemberName] string name = "") =>
        isValid ? value : throw new ArgumentOutOfRangeException(name, value, $"Must be in {range}.");
}
