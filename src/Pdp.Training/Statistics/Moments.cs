using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Statistics;

/// <summary>Mean and variance of each channel over everything added, in float64. It owns its tensors.</summary>
/// <remarks>
/// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979): with δ = μ_b − μ, of n
/// values μ ← μ + δ·n/(N + n) and M ← M + n·v_b + δ²·N·n/(N + n), so that no large squares are subtracted from one another.
/// </remarks>
internal sealed class Moments : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();
    private Tensor? _mean;
    private Tensor? _squares;

    /// <summary>The values N of each channel so far.</summary>
    public long Count { get; private set; }

    /// <summary>The mean μ, [channels].</summary>
    public Tensor Mean => _mean ?? throw new InvalidOperationException("Add something first.");

    /// <summary>The variance M/N with divisor N, [channels].</summary>
    public Tensor Spread => Variance(Count);

    /// <summary>
    /// The moments of an input [batch, channels, …]: the values n of each channel, their mean, and their variance with divisor n.
    /// </summary>
    /// <remarks>
    /// A mean of 10⁴ is rounded to 10⁻³ in float32, which would show in the variance between batches; the mean of what is left after
    /// subtracting it is what the rounding took away.
    /// </remarks>
    public static (long Count, Tensor Mean, Tensor Variance) Of(Tensor input)
    {
        var wide = input.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? input.to_type(ScalarType.Float32) : input;
        long[] dimensions = [0, .. Enumerable.Range(2, (int)input.dim() - 2)];
        var rounded = wide.mean(dimensions, keepdim: true);
        var (variance, rest) = var_mean(wide.sub(rounded), dimensions, unbiased: false);
        var mean = rounded.flatten().to_type(ScalarType.Float64).add(rest.to_type(ScalarType.Float64), One);
        return (input.numel() / Math.Max(input.size(1), 1), mean, variance.to_type(ScalarType.Float64));
    }

    /// <summary>Adds n values of each channel, with their moments in float64.</summary>
    public void Add(long count, Tensor mean, Tensor variance)
    {
        if (count == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using Scalar weight = ((double)count).ToScalar(), share = (count / (double)(Count + count)).ToScalar();
        using Scalar between = (Count * (count / (double)(Count + count))).ToScalar();
        var distance = mean.sub(_mean ?? zeros_like(mean));
        var nextMean = (_mean ?? zeros_like(mean)).add(distance, share);
        var nextSquares = variance.mul(weight).add(_squares ?? zeros_like(mean), One).add(distance.mul(distance), between);
        Dispose();
        (_mean, _squares) = (nextMean.DetachFromDisposeScope(), nextSquares.DetachFromDisposeScope());
        Count += count;
    }

    /// <summary>The variance M/(N − 1), [channels].</summary>
    public Tensor Variance() => Variance(Count - 1);

    public void Dispose()
    {
        _mean?.Dispose();
        _squares?.Dispose();
    }

    private Tensor Variance(long freedom)
    {
        using Scalar divisor = ((double)freedom).ToScalar();
        return (_squares ?? throw new InvalidOperationException("Add something first.")).div(divisor);
    }
}
