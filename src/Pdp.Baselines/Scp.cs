using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines;

/// <summary>
/// SCP, operation-aware soft channel pruning (Kang, Han, ICML 2020), in a deterministic variant: removes channels that norm and rectifier
/// are likely to switch off.
/// </summary>
/// <remarks>
/// <para>
/// The output of a batch norm is modeled as normal, N(β, γ²), so a rectifier after it switches a channel off with probability P(off) =
/// Φ(−β/|γ|). The channels with the largest P(on) = 1 − P(off), or their mean if a group has several norms, are kept and are chosen anew in
/// every scope. The gradient is masked, and the mask's gradient goes straight through to the norms: ∂L/∂m·∂P(on)/∂(γ, β), with ∂P(on)/∂β =
/// φ(β/|γ|)/|γ| and ∂P(on)/∂γ = −φ(β/|γ|)·β·sign(γ)/γ². A layer that has lost no channel yet trains as if dense.
/// </para>
/// <para>
/// Differences from the paper: the mask is hard, by the mean of the gate, while the paper samples relaxed gates; and there is no loss on
/// the expected cost, as the options' allocation and schedule (by default the library's own) decide how many channels each group loses. A
/// removed channel followed by a rectifier has no gradient: it comes back only if others fall below it. Norms without a rectifier after
/// them, such as the last one in a residual block, violate the assumption but are ranked by the same formula. Borrows the model.
/// </para>
/// </remarks>
public sealed record Scp : IPruningMethod
{
    private static readonly Scalar Half = 0.5.ToScalar();
    private static readonly Scalar MinusHalf = (-0.5).ToScalar();
    private static readonly Scalar RootHalf = Math.Sqrt(0.5).ToScalar();
    private static readonly Scalar DensityAtZero = (1 / Math.Sqrt(2 * Math.PI)).ToScalar();

    private readonly Module _model;

    /// <summary>Makes the method.</summary>
    /// <param name="model">The model, borrowed.</param>
    /// <param name="channels">The channels that belong together.</param>
    public Scp(Module model, ChannelMap channels)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(channels);
        _model = model;
        Channels = channels;
    }

    /// <inheritdoc/>
    public string Name => "SCP (deterministic)";

    /// <summary>The channels that belong together; used for options without a map.</summary>
    public ChannelMap Channels { get; }

    /// <summary>P(off) = Φ(−β/|γ|), the probability that a rectifier after a norm gives 0.</summary>
    /// <param name="scale">γ, of any shape.</param>
    /// <param name="shift">β, of the same shape.</param>
    /// <returns>The same shape, float64, in [0, 1]; at γ = 0 it is 0 for β above 0 and 1 otherwise.</returns>
    public static Tensor OffProbability(Tensor scale, Tensor shift)
    {
        ArgumentNullException.ThrowIfNull(scale);
        ArgumentNullException.ThrowIfNull(shift);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (ratio, _) = Standardize(scale, shift);
        // 0/0 is a channel that is certainly 0.
        return Defined(Cdf(ratio.neg()), ratio, ones_like(ratio)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Grouped.Configure(options, Name, Channels);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A layer is not a group of <see cref="Channels"/>, or has no norm with scale and shift.
    /// </exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        var groups = Grouped.Of(layers, Name, Channels);
        var norms = groups.Select(group => ChannelNorm.Of(_model, group)).ToArray();
        if (groups.Where((_, i) => norms[i].Count == 0).Select(group => $"'{group.Name}'").ToArray() is { Length: > 0 } without)
            throw new ArgumentException(
                $"{Name} ranks channels by the scale and shift of the norm after them, but there is none in {string.Join(", ", without)}: "
                + "leave them dense with ChannelMap.Without or PdpOptions.Exclude.", nameof(layers));

        return new Run(layers, norms);
    }

    /// <summary>z = β/|γ|, and γ, in float64: in float32 P(on) would be 1 for many channels.</summary>
    private static (Tensor Ratio, Tensor Scale) Standardize(Tensor scale, Tensor shift)
    {
        var wide = scale.to_type(ScalarType.Float64);
        return (shift.to_type(ScalarType.Float64).div(wide.abs()), wide);
    }

    /// <summary>Φ, the standard normal distribution.</summary>
    private static Tensor Cdf(Tensor value) => special.erfc(value.mul(RootHalf).neg()).mul(Half);

    private static Tensor Defined(Tensor value, Tensor ratio, Tensor otherwise) => where(ratio.isnan(), otherwise, value);

    /// <summary>P(on), computed from the upper tail: as 1 − P(off), small values would all be 0.</summary>
    private static Tensor OnProbability(Tensor scale, Tensor shift)
    {
        var (ratio, _) = Standardize(scale, shift);
        return Defined(Cdf(ratio), ratio, zeros_like(ratio));
    }

    /// <summary>Rises with P(on), even where that or P(off) rounds to 1.</summary>
    private static Tensor RankOf(Tensor on, Tensor off) => where(on.lt(off), on.log(), off.log().neg());

    /// <summary>∂P(on)/∂γ and ∂P(on)/∂β; 0 if γ is, as a step has no slope.</summary>
    private static (Tensor OfScale, Tensor OfShift) Slopes(Tensor scale, Tensor shift)
    {
        var (ratio, wide) = Standardize(scale, shift);
        var ofShift = ratio.mul(ratio).mul(MinusHalf).exp().mul(DensityAtZero).div(wide.abs());
        var ofScale = ofShift.mul(ratio).mul(wide.sign()).neg();
        return (Finite(ofScale), Finite(ofShift));

        static Tensor Finite(Tensor slope) => where(slope.isfinite(), slope, zeros_like(slope));
    }

    private sealed class Run(IReadOnlyList<MethodLayer> layers, IReadOnlyList<ChannelNorm>[] norms) : HardMaskRun(layers)
    {
        public override void GateGradient(int layer, Tensor gradient)
        {
            if (Layers[layer].Mask.Removed == 0)
                return;

            using var scope = NewDisposeScope();
            foreach (var norm in norms[layer])
            {
                var (ofScale, ofShift) = Slopes(norm.Scale(), norm.Shift());
                using Scalar share = (1.0 / (norms[layer].Count * norm.Block)).ToScalar();
                var each = gradient.reshape(-1, 1).mul(share);
                norm.AddGradients(each.mul(ofScale), each.mul(ofShift));
            }
        }

        protected override Tensor Score(int layer, Tensor weight)
        {
            Tensor[] on = [.. norms[layer].Select(norm => OnProbability(norm.Scale(), norm.Shift()).mean([1]))];
            Tensor[] off = [.. norms[layer].Select(norm => OffProbability(norm.Scale(), norm.Shift()).mean([1]))];
            return RankOf(stack(on).mean([0]), stack(off).mean([0])).reshape(1, -1);
        }
    }
}
