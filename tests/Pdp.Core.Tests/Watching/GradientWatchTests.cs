using Pdp.Masking;
using Pdp.Watching;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Watching;

public sealed class GradientWatchTests
{
    [Theory]
    [InlineData(1 << 22, true)]
    [InlineData((1 << 22) + 1, false)]
    public void Among_OneWeight_WatchesItUpToASize(long elements, bool isWatched)
    {
        using var scope = NewDisposeScope();
        var mask = new PdpMask("w", new WeightLayout([1, elements]), new Unstructured(), Temperature.Relative(1));
        using var group = new MaskGroup(mask, new GroupSlices(mask, new Parameter(zeros(1, elements))));

        using var watch = GradientWatch.Among([group]).Single();

        Assert.Equal(isWatched, watch is not null);
    }

    /// <summary>
    /// Three numbers whose sizes differ by 2¹⁰ and 2³⁰ fill the bits of a sum as a multiplication does, but not in every scope.
    /// </summary>
    [Fact]
    public void Leave_OfThreePassesOfVeryDifferentSize_FindsNoFault()
    {
        using var scene = new Scope();

        for (var time = 0; time < 12; time++)
        {
            double[] sizes = time % 4 == 3 ? [1, 1, 1] : [1, Math.ScaleB(1, -10), Math.ScaleB(1, -30)];
            Assert.Null(scene.Run(time, sizes, factor: 1));
        }
    }

    [Fact]
    public void Leave_OfTwoPassesThatAreScaled_FindsItWithinFourScopes()
    {
        using var scene = new Scope();

        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(time => scene.Run(time, [1, 1], factor: 0.3) is null));
    }

    [Fact]
    public void Leave_OfOnePassThatIsScaled_FindsItAtOnce()
    {
        using var scene = new Scope();

        Assert.Contains("changed inside the mask scope", scene.Run(0, [1], factor: 0.3), StringComparison.Ordinal);
    }

    /// <summary>A weight whose gradient is watched.</summary>
    private sealed class Scope : IDisposable
    {
        private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
        private readonly Parameter _weight = new(zeros(1, 256));
        private readonly MaskGroup _group;
        private readonly GradientWatch _watch;

        public Scope()
        {
            var mask = new PdpMask("w", new WeightLayout([1, 256]), new Unstructured(), Temperature.Relative(1));
            _group = new MaskGroup(mask, new GroupSlices(mask, _weight));
            _watch = GradientWatch.Among([_group]).Single()!;
        }

        /// <summary>Adds float32 numbers of these sizes, as backward passes do, multiplies the sum, and returns the fault.</summary>
        public string? Run(int seed, double[] sizes, double factor)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            using var generator = new Generator((ulong)seed);
            _weight.grad = null;
            _watch.Prepare(hasStepped: true);
            _watch.Enter();
            foreach (var size in sizes)
                _weight.grad!.add_(randn([1, 256], generator: generator).mul(size));
            if (factor != 1)
                _weight.grad!.mul_(factor);
            return _watch.Leave();
        }

        public void Dispose()
        {
            _watch.Dispose();
            _group.Dispose();
            _scope.Dispose();
        }
    }
}
