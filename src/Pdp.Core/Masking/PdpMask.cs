using Pdp.Internal;
using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>The mask of one weight: computed anew at every step from the weight itself, with no parameters of its own.</summary>
/// <remarks>
/// <para>
/// The threshold t splits the magnitudes of each group of competitors at the number to be removed, the mask is m = σ((s − t²)/τ), and t is
/// a constant in the backward pass (PDP, equations 1 to 4; <see cref="Temperature.WithRadialCorrection"/> corrects that). The arithmetic is
/// float64 for float64 weights and float32 for all others, and right at any scale of the weights.
/// </para>
/// <para>
/// Only the pruner moves the masks that belong to it. Holds no tensors. Tensors passed in are borrowed, tensors returned are the caller's.
/// Not thread safe.
/// </para>
/// </remarks>
public sealed class PdpMask
{
    private Temperature? _gradientTemperature;

    /// <summary>Makes a mask that removes nothing until <see cref="Advance"/> is called.</summary>
    /// <param name="name">The weight's name, for messages.</param>
    /// <param name="layout">The weight's shape and what its dimensions mean.</param>
    /// <param name="strategy">Who competes with whom.</param>
    /// <param name="temperature">How soft the mask is.</param>
    /// <param name="target">The members finally removed in each group, in [0, members).</param>
    /// <exception cref="ArgumentException">The strategy doesn't support the layout.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The target is not in [0, members).</exception>
    public PdpMask(string name, WeightLayout layout, IMaskStrategy strategy, Temperature temperature, long target = 0)
    {
        Name = Guard.NotNull(name, nameof(name));
        Layout = Guard.NotNull(layout, nameof(layout));
        Strategy = Guard.NotNull(strategy, nameof(strategy));
        Temperature = Guard.NotNull(temperature, nameof(temperature));
        if (strategy.UnsupportedReason(layout) is { } refusal)
            throw new ArgumentException($"{strategy.Name} can't prune '{name}' {layout}: {refusal}.", nameof(strategy));

        (Groups, Members) = strategy.GroupingOf(layout);
        Target = target;
        TemperatureValue = temperature.From;
    }

    /// <summary>The weight's name.</summary>
    public string Name { get; }

    /// <summary>The weight's shape and what its dimensions mean.</summary>
    public WeightLayout Layout { get; }

    /// <summary>Who competes with whom.</summary>
    public IMaskStrategy Strategy { get; }

    /// <summary>How soft the mask is over the epochs.</summary>
    public Temperature Temperature { get; private set; }

    /// <summary>How soft the mask is for the gradient over the epochs.</summary>
    /// <value>Null, the default, is <see cref="Temperature"/>.</value>
    /// <exception cref="ArgumentException">A radial correction of the one doesn't fit the other.</exception>
    public Temperature? GradientTemperature
    {
        get => _gradientTemperature;
        init => GradientTemperatureValue = (_gradientTemperature = Temperature.Fitting(value, nameof(GradientTemperature)))?.From;
    }

    /// <summary>The groups of competitors.</summary>
    public long Groups { get; }

    /// <summary>The competitors in each group.</summary>
    public long Members { get; }

    /// <summary>The output channels that each layer of a channel group has, at least, for one member: several for heads.</summary>
    internal long ChannelsPerMember { get; init; } = 1;

    /// <summary>The members finally removed in each group.</summary>
    /// <value>In [0, members).</value>
    public long Target
    {
        get;
        internal set => field = value >= 0 && value < Members ? value : throw Guard.Outside("target", value, $"[0, {Members})");
    }

    /// <summary>p, the members currently removed in each group; 0 makes the mask the identity.</summary>
    public long Removed { get; private set; }

    /// <summary>The current τ in weight², or ρ if the temperature is relative.</summary>
    public double TemperatureValue { get; private set; }

    /// <summary>The current τ of the gradient in weight², or ρ if it is relative; null if it is that of the mask.</summary>
    public double? GradientTemperatureValue { get; private set; }

    /// <summary>The weights currently removed.</summary>
    public long RemovedWeights => Removed * WeightsPerRank;

    /// <summary>The weights finally removed.</summary>
    public long TargetWeights => Target * WeightsPerRank;

    /// <summary>The importance by which the weights compete; null for magnitude. Owned by the <see cref="MaskGroup"/>.</summary>
    internal RunningImportance? Importance { get; set; }

    /// <summary>The current temperature in the form that kernels and tensor operations use.</summary>
    internal Sharpness Sharpness => Sharpness.Of(TemperatureValue, Temperature.IsRelative);

    /// <summary>The current temperature of the gradient; null if it is that of the mask.</summary>
    internal Sharpness? GradientSharpness => GradientTemperatureValue is { } value
        && Sharpness.Of(value, GradientTemperature!.IsRelative) is var own && own != Sharpness ? own : null;

    /// <summary>Whether the gradient is corrected along the weights now: not if masks are hard in it.</summary>
    internal bool IsRadiallyCorrected => (GradientTemperature ?? Temperature).HasRadialCorrection
        && (GradientSharpness ?? Sharpness).Ratio < Sharpness.Hard;

    /// <summary>The weights that are removed when each group loses one more member.</summary>
    internal long WeightsPerRank => Layout.Elements / Members;

    /// <summary>Whether a pruner moves the mask.</summary>
    internal bool IsAttached { get; private set; }

    /// <summary>Moves a mask that belongs to no pruner along its schedule.</summary>
    /// <param name="fraction">The share of the target to remove now, in [0, 1].</param>
    /// <param name="epoch">The epoch, for the temperature.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not in [0, 1].</exception>
    /// <exception cref="InvalidOperationException">A pruner's <see cref="PdpPruner.BeginEpoch(double)"/> moves the mask.</exception>
    public void Advance(double fraction, double epoch)
    {
        if (IsAttached)
            throw new InvalidOperationException($"A pruner moves the mask of '{Name}': call the pruner's BeginEpoch(epoch).");
        Move(fraction, epoch);
    }

    /// <summary>Hands the mask to a pruner: from now on it follows only the pruner's clock and method.</summary>
    internal void Attach() => IsAttached = true;

    /// <summary>Sets how soft the mask is from its next <see cref="Move"/> on.</summary>
    internal void Follow(Temperature temperature, Temperature? gradientTemperature) =>
        (Temperature, _gradientTemperature) = (temperature, gradientTemperature);

    /// <summary>Moves the mask along its schedule.</summary>
    internal void Move(double fraction, double epoch)
    {
        Removed = Strategy.Removed(Target, Guard.Share(fraction, nameof(fraction)));
        TemperatureValue = Temperature.At(epoch);
        GradientTemperatureValue = GradientTemperature?.At(epoch);
    }

    /// <summary>Removes a number of members other than the schedule's, until the next <see cref="Move"/>.</summary>
    internal void Remove(long members) =>
        Removed = members >= 0 && members < Members ? members : throw Guard.Outside(nameof(members), members, $"[0, {Members})");

    /// <summary>
    /// The hard mask for a custom score: by rank, exact in its count; among equal scores the first in position are removed.
    /// </summary>
    /// <param name="score"><c>[groups, members]</c>; the smallest scores are removed, NaN last. Need not be positive.</param>
    /// <returns><c>[groups, members]</c>, bool, true where a member is kept.</returns>
    /// <exception cref="ArgumentException">The score has another shape.</exception>
    public Tensor KeptBy(Tensor score)
    {
        ArgumentNullException.ThrowIfNull(score);
        if (!score.shape.AsSpan().SequenceEqual([Groups, Members]))
            throw new ArgumentException(
                $"The score of '{Name}' must have the shape [{Groups}, {Members}], not [{string.Join(", ", score.shape)}].", nameof(score));

        using var _ = no_grad();
        return SoftMask.KeptBy(score, Removed);
    }

    /// <summary>The threshold of each group, equation 1.</summary>
    /// <param name="weight">The weight, of the layout's shape.</param>
    /// <returns><c>[groups, 1]</c>, in units of weight; zeros where nothing is removed.</returns>
    /// <exception cref="ArgumentException">The weight's shape is not the layout's.</exception>
    /// <exception cref="InvalidOperationException">The mask goes by a <see cref="PdpOptions.Importance"/>, not magnitude.</exception>
    public Tensor Threshold(Tensor weight)
    {
        RequireShape(weight);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var magnitude = Strategy.Magnitude(Precision.Widen(weight), Layout);
        return this.ThresholdOf(magnitude).MoveToOuterDisposeScope();
    }

    /// <summary>The soft mask, equation 2; ones where nothing is removed.</summary>
    /// <param name="weight">The weight, of the layout's shape.</param>
    /// <returns>The weight's shape, values in [0, 1], float64 for a float64 weight and float32 for any other.</returns>
    /// <exception cref="ArgumentException">The weight's shape is not the layout's.</exception>
    /// <exception cref="InvalidOperationException">The mask goes by a <see cref="PdpOptions.Importance"/>, not magnitude.</exception>
    public Tensor Soft(Tensor weight)
    {
        RequireShape(weight);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var wide = Precision.Widen(weight);
        if (Removed == 0)
            return wide.ones_like().MoveToOuterDisposeScope();

        var boundary = this.BoundaryOf(wide);
        return Strategy.Spread(SoftMask.Mask(boundary.Logit), Layout).expand_as(wide).clone().MoveToOuterDisposeScope();
    }

    /// <summary>The hard mask: by rank, exact in its count, ties decided by position.</summary>
    /// <param name="weight">The weight, of the layout's shape.</param>
    /// <returns>The weight's shape, bool, true where a weight is kept.</returns>
    /// <exception cref="ArgumentException">The weight's shape is not the layout's.</exception>
    /// <exception cref="InvalidOperationException">The mask goes by a <see cref="PdpOptions.Importance"/>, not magnitude.</exception>
    public Tensor Kept(Tensor weight)
    {
        RequireShape(weight);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var kept = SoftMask.Kept(this.MagnitudeOf(Precision.Widen(weight)), Removed);
        return Strategy.Spread(kept, Layout).expand(Layout.Dimensions).clone().MoveToOuterDisposeScope();
    }

    /// <summary>The masked weight as a differentiable function of the weight, for code that uses the weight directly.</summary>
    /// <remarks>
    /// Equation 3, ŵ = m(w)·w; autograd gives equation 4, as t, a relative τ and a hard mask, t²/τ ≥ 10⁴, are constants, and corrects it
    /// where the temperature says so. With a <see cref="GradientTemperature"/> the value is that of the mask, and the gradient that of the
    /// softer or harder one.
    /// </remarks>
    /// <param name="weight">The weight, of the layout's shape.</param>
    /// <returns>The weight's shape and type; the weight's own values where nothing is removed.</returns>
    /// <exception cref="ArgumentException">The weight's shape is not the layout's.</exception>
    /// <exception cref="InvalidOperationException">The mask goes by a <see cref="PdpOptions.Importance"/>, not magnitude.</exception>
    public Tensor Apply(Tensor weight)
    {
        RequireShape(weight);
        if (Removed == 0)
            return weight.alias();

        using var scope = NewDisposeScope();
        return this.MaskedOf(Precision.Widen(weight)).to_type(weight.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Sets the count to that of a hard mask, <c>[groups, members]</c>; to the groups' mean if they differ.</summary>
    internal void CountRemoved(Tensor kept)
    {
        using var scope = NewDisposeScope();
        Removed = Members - (kept.sum().cpu().ReadCpuInt64(0) / Groups);
    }

    private void RequireShape(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (Importance is { } importance)
            throw new InvalidOperationException(
                $"The mask of '{Name}' goes by {importance.Name}, which needs more than a weight: use PdpPruner.Mask() or Report().");
        if (!weight.shape.AsSpan().SequenceEqual(Layout.Dimensions))
            throw new ArgumentException($"'{Name}' has the shape {Layout}, not [{string.Join(", ", weight.shape)}].", nameof(weight));
    }
}
