using Pdp.Internal;
using Pdp.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>A mask that multiplies: each member has one m, which also multiplies the biases and norms of a channel.</summary>
internal abstract class MultiplicativeRule(PdpMask mask, GroupSlices slices) : IMaskRule
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Scalar _smallestNormal = Precision.SmallestNormalOf(slices.Parameters[0].dtype).ToScalar();

    public abstract bool IsIdentity { get; }

    public virtual bool IsSoft => false;

    public virtual bool Observes => false;

    protected PdpMask Mask => mask;

    protected GroupSlices Slices => slices;

    public GroupValues Enter(GroupValues dense, MaskForm form)
    {
        Forget();
        return Again(dense, form);
    }

    /// <remarks>Subnormal numbers become zeros, and −0 becomes 0.</remarks>
    public GroupValues Again(GroupValues dense, MaskForm form) =>
        Times(dense, FactorsOf(dense.Weight, form), product => Zeros.WithoutSubnormals(product, _smallestNormal));

    public abstract GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form);

    public virtual void Left()
    {
    }

    public abstract Tensor Kept(Tensor weight);

    public abstract void Forget();

    public virtual void Dispose()
    {
        Forget();
        _smallestNormal.Dispose();
    }

    /// <summary>The factors of the members in the scope that was entered last, <c>[groups, members]</c>; null if ŵ is w.</summary>
    protected abstract (Tensor? Hard, Tensor Whole)? FactorsOf(Tensor weight, MaskForm form);

    /// <summary>Values times factors: norms get the whole factor; filters and biases too, or only its hard part.</summary>
    protected GroupValues Times(GroupValues values, (Tensor? Hard, Tensor Whole)? factors, Func<Tensor, Tensor>? round = null)
    {
        if (factors is not { } factor)
            return values;

        var (hard, whole) = factor;
        var filters = slices.MasksFilters ? whole : hard;
        return new(
            Product(values.Weight, filters is null ? null : Spread(filters)),
            [
                .. values.Along.Zip(slices.AreBiases, (along, isBias) =>
                    along is null ? null : Product(along, (isBias ? filters : whole)?.reshape(-1, 1))),
            ]);

        Tensor Product(Tensor value, Tensor? factor) =>
            factor is null ? value : round is null ? value.mul(factor) : round(value.mul(factor));
    }

    /// <summary>The value of each member for its weights.</summary>
    protected Tensor Spread(Tensor grouped) => mask.Strategy.Spread(grouped, mask.Layout);

    /// <summary>
    /// Σ(g·θ) of each channel over the biases and norms that carry the mask, <c>[1, channels]</c>; null without gradients.
    /// </summary>
    protected Tensor? GateAlong(GroupValues dense, GroupValues upstream) => upstream.Along.Index()
        .Where(pair => pair.Item is not null && (slices.MasksFilters || !slices.AreBiases[pair.Index]))
        .Select(pair => SoftMask.BoundedProduct(pair.Item!, dense.Along[pair.Index]!).sum(1).reshape(1, -1))
        .Aggregate((Tensor?)null, (sum, share) => sum is null ? share : sum.add(share, One));
}
