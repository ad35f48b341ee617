using Pdp.Numerics.Kernels;

namespace Pdp.Tests.Numerics.Kernels;

/// <summary>The kernels in vectors of each width, whatever this processor's own is, against the equations in float64.</summary>
public sealed unsafe class LanesTests
{
    private const float Threshold = 0.6f;
    private const float Scale = 2.5f;

    public static TheoryData<int> Widths { get; } = [512, 256, 128];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Enter_InVectorsOfAnyWidth_WritesMaskedWeights(int width)
    {
        foreach (var length in Lengths())
        {
            var (w, masked, dense) = (Numbers(length, seed: 1), Numbers(length, seed: 1), new float[length + Lanes.Most]);
            fixed (float* weight = masked, copy = dense)
                Pass(width).Enter(weight, copy, length, Threshold, Scale);

            Assert.Equal(w, dense[..length]);
            Assert.All(w.Zip(masked), pair => Assert.Equal(Mask(pair.First) * pair.First, pair.Second, Tolerance(pair.First)));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Leave_InVectorsOfAnyWidth_CorrectsTheGradientOrAddsIt(int width)
    {
        foreach (var length in Lengths())
        {
            var (w, g, sums) = (Numbers(length, seed: 1), Numbers(length, seed: 2), Numbers(length, seed: 3));
            var (weights, dense, gradients, added) = ((float[])[.. w], new float[length], (float[])[.. g], (float[])[.. sums]);
            var (isSame, isSameAgain) = (false, false);
            fixed (float* weight = weights, copy = dense, gradient = gradients, sum = added)
            {
                Pass(width).Enter(weight, copy, length, Threshold, Scale);
                isSame = Pass(width).Leave(weight, copy, gradient, null, length, Threshold, Scale);
                g.CopyTo(gradients, 0);
                Pass(width).Enter(weight, copy, length, Threshold, Scale);
                isSameAgain = Pass(width).Leave(weight, copy, gradient, sum, length, Threshold, Scale);
            }

            Assert.True(isSame && isSameAgain);
            Assert.Equal(w, weights);
            Assert.All(Enumerable.Range(0, length), i => Assert.Equal(sums[i] + (g[i] * Factor(w[i])), added[i], 1e-5));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Leave_InVectorsOfAnyWidth_AddsUpTheSurplusAlongTheWeights(int width)
    {
        const float unit = 0.5f;
        foreach (var length in Lengths().Append(9001))
        {
            var (w, g) = (Numbers(length, seed: 1), Numbers(length, seed: 2));
            var (weights, dense, gradients) = ((float[])[.. w], new float[length], (float[])[.. g]);
            var sums = new RadialSums { Unit = unit, Surplus = 1, Square = 2 };
            fixed (float* weight = weights, copy = dense, gradient = gradients)
            {
                Pass(width).Enter(weight, copy, length, Threshold, Scale);
                Pass(width).Leave(weight, copy, gradient, null, length, Threshold, Scale, radial: &sums);
            }

            var surplus = w.Zip(g, (w, g) => g * (Factor(w) - Mask(w)) * unit * w).Sum();
            Assert.Equal(1 + surplus, sums.Surplus, 1e-6 * length);
            Assert.Equal(2 + w.Sum(w => unit * w * (double)unit * w), sums.Square, 1e-6 * length);
            Assert.All(Enumerable.Range(0, length), i => Assert.Equal(g[i] * Factor(w[i]), gradients[i], 1e-5));
        }
    }

    /// <summary>Sums of a million equal numbers in float32 alone would be off by far more.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Leave_OfVeryManyWeights_AddsUpWithoutLosingDigits(int width)
    {
        const int length = 1 << 20;
        const double w = 0.7f, g = 0.3f, unit = 1 / 0.7f;
        var (weights, dense, gradients) = (new float[length], new float[length], new float[length]);
        weights.AsSpan().Fill((float)w);
        gradients.AsSpan().Fill((float)g);
        var sums = new RadialSums { Unit = (float)unit };
        fixed (float* weight = weights, copy = dense, gradient = gradients)
        {
            Pass(width).Enter(weight, copy, length, Threshold, Scale);
            Pass(width).Leave(weight, copy, gradient, null, length, Threshold, Scale, radial: &sums);
        }

        Assert.Equal(1, sums.Square / (length * (unit * w) * (unit * w)), 5e-6);
        Assert.Equal(1, sums.Surplus / (length * g * (Factor(w) - Mask(w)) * unit * w), 5e-6);
    }

    /// <summary>On x86 a minimum with NaN is the other number, so that lanes beyond the weights are 0; elsewhere they may be NaN.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Leave_OfPartOfAVector_LeavesOutOfTheSumsWhatIsBeyond(int width)
    {
        var (w, g) = (Numbers(3, seed: 1), Numbers(3, seed: 2));
        var (weights, dense, gradients) = ((float[])[.. w], new float[3], (float[])[.. g]);
        float[] thresholds = [Threshold, Threshold, Threshold, .. Enumerable.Repeat(float.NaN, Lanes.Most)];
        float[] scales = [Scale, Scale, Scale, .. Enumerable.Repeat(float.NaN, Lanes.Most)];
        var sums = new RadialSums { Unit = 1 };
        fixed (float* weight = weights, copy = dense, gradient = gradients, threshold = thresholds, scale = scales)
        {
            Pass(width).Enter(weight, copy, 3, threshold, scale);
            Pass(width).Leave(weight, copy, gradient, null, 3, threshold, scale, radial: &sums);
        }

        Assert.Equal(w.Zip(g, (w, g) => g * (Factor(w) - Mask(w)) * w).Sum(), sums.Surplus, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void EnterAndLeave_ByAnImportance_MaskByWhatCompetes(int width)
    {
        foreach (var length in Lengths())
        {
            var (w, g, v) = (Numbers(length, seed: 1), Numbers(length, seed: 2), Numbers(length + Lanes.Most, seed: 5));
            var (weights, dense, gradients) = ((float[])[.. w], new float[length], (float[])[.. g]);
            float[] masked;
            var isSame = false;
            fixed (float* weight = weights, copy = dense, gradient = gradients, competing = v)
            {
                Pass(width).Enter(weight, copy, length, Threshold, Scale, competing);
                masked = [.. weights];
                isSame = Pass(width).Leave(weight, copy, gradient, null, length, Threshold, Scale, competing: competing);
            }

            Assert.True(isSame);
            Assert.Equal(w, weights);
            Assert.All(Enumerable.Range(0, length), i => Assert.Equal(Mask(v[i]) * w[i], masked[i], Tolerance(w[i])));
            Assert.All(Enumerable.Range(0, length), i => Assert.Equal(g[i] * Factor(v[i]), gradients[i], 1e-5));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Leave_InVectorsOfAnyWidth_SeesAnyWeightThatWasChanged(int width)
    {
        const int length = 37;
        for (var changed = 0; changed < length; changed++)
        {
            var (weights, dense) = (Numbers(length, seed: 1), new float[length]);
            fixed (float* weight = weights, copy = dense)
            {
                Pass(width).Enter(weight, copy, length, Threshold, Scale);
                weight[changed] += 1;

                Assert.False(Pass(width).Leave(weight, copy, null, null, length, Threshold, Scale));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Boundaries_InVectorsOfAnyWidth_LieBetweenTheRanks(int width)
    {
        (int, int, int)[] cases = [(4, 1, 2), (4, 1, 1), (4, 9, 3), (4, 64, 2), (2, 1, 1), .. Eights(), (32, 25, 20)];
        foreach (var (members, stride, removed) in cases)
        {
            const int blocks = 13;
            var count = members * stride * blocks;
            var (w, thresholds, scales) = (
                Numbers(count + Lanes.Most, seed: 4), new float[count + (2 * Lanes.Most)], new float[count + (2 * Lanes.Most)]);
            var boundaries = Boundaries(width, members, stride);
            boundaries.Set(removed, Sharpness.Of(0.25, isRelative: true));
            fixed (float* weight = w, threshold = thresholds, scale = scales)
                boundaries.Write(weight, blocks, threshold, scale);

            for (var i = 0; i < count; i++)
            {
                var first = (i / (members * stride) * members * stride) + (i % stride);
                var sorted = Enumerable.Range(0, members).Select(member => MathF.Abs(w[first + (member * stride)])).Order().ToArray();
                Assert.Equal((sorted[removed - 1] + sorted[removed]) * 0.5f, thresholds[i]);
                Assert.Equal(2 / thresholds[i], scales[i], 1e-5 * scales[i]);
            }
        }
    }

    /// <summary>Each rank of groups of eight, which have a network of their own, near to one another and far apart.</summary>
    private static IEnumerable<(int Members, int Stride, int Removed)> Eights() =>
        Enumerable.Range(1, 7).SelectMany(removed => new[] { (8, 1, removed), (8, 3, removed), (8, 64, removed) });

    internal static IMaskPass Pass(int width) => width switch
    {
        512 => new MaskPass<Lanes512>(),
        256 => new MaskPass<Lanes256>(),
        _ => new MaskPass<Lanes128>(),
    };

    private static IGroupBoundaries Boundaries(int width, int members, int stride) => width switch
    {
        512 => new GroupBoundaries<Lanes512>(members, stride),
        256 => new GroupBoundaries<Lanes256>(members, stride),
        _ => new GroupBoundaries<Lanes128>(members, stride),
    };

    private static IEnumerable<int> Lengths() => Enumerable.Range(1, 50).Append(1000);

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    private static double Mask(double w) => 1 / (1 + Math.Exp(((Threshold * Threshold) - (w * w)) * Scale * Scale));

    /// <summary>Equation 4 over g: m + (2w²/τ)·m(1 − m).</summary>
    private static double Factor(double w) => Mask(w) * (1 + (2 * w * w * Scale * Scale * (1 - Mask(w))));

    private static double Tolerance(double w) => 1e-6 * Math.Abs(w);
}
