using System.Runtime.CompilerServices;
using Pdp.Allocation;
using Pdp.Masks;

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

    /// <summary>Checks that options leave it to a method what each layer loses.</summary>
    /// <exception cref="ArgumentException">They don't.</exception>
    public static PdpOptions NoShares(PdpOptions options, string method, string deciders)
    {
        ArgumentNullException.ThrowIfNull(options);
        var isBounded = options.MinimumLayerSparsity > 0 || options.MaximumLayerSparsity < 1;
        var isRuled = options.Rules.Any(rule => (rule.Sparsity ?? rule.MinimumSparsity ?? rule.MaximumSparsity) is not null);
        return options.Allocation is GlobalMagnitude && !isBounded && !isRuled
            ? options
            : throw new ArgumentException($"The {deciders} of {method} decide what each layer loses: leave Allocation, MinimumLayerSparsity, MaximumLayerSparsity and the sparsities of rules unset.", nameof(options));
    }

    /// <summary>A number that is at least 0.</summary>
    public static double NotNegative(double value, [CallerMemberName] string name = "") => Within(value, value >= 0 && double.IsFinite(value), "[0, ∞)", name);

    /// <summary>A number above 0.</summary>
    public static double Positive(double value, [CallerMemberName] string name = "") => Within(value, value > 0 && double.IsFinite(value), "(0, ∞)", name);

    /// <summary>A share of a whole.</summary>
    public static double Share(double value, [CallerMemberName] string name = "") => Within(value, value is >= 0 and <= 1, "[0, 1]", name);

    /// <summary>A value that is in its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    public static T Within<T>(T value, bool isValid, string range, [CallerMemberName] string name = "") =>
        isValid ? value : throw new ArgumentOutOfRangeException(name, value, $"Must be in {range}.");
}
