using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Reporting;

/// <summary>The report that kernels count against that of tensor operations.</summary>
public sealed class MaskStatisticsTests
{
    public static TheoryData<string, double, bool> Cases()
    {
        var cases = new TheoryData<string, double, bool>();
        foreach (var strategy in (string[])["unstructured", "2:4", "1:4", "3:8", "5:16"])
        {
            foreach (var (temperature, isRelative) in ((double, bool)[])[(0.5, true), (1e-6, true), (1e-3, false)])
                cases.Add(strategy, temperature, isRelative);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Report_OfKernels_IsThatOfTensorOperations(string strategy, double temperature, bool isRelative)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        using var model = Sequential(
            ("fc", Linear(48, 37, hasBias: false)),
            ("conv", Conv2d(32, 9, 3, bias: false)),
            ("up", ConvTranspose2d(16, 5, 2, bias: false)));
        IMaskStrategy pattern = strategy == "unstructured" ? new Unstructured() : NofM.Parse(strategy);
        using (no_grad())
        {
            foreach (var weight in model.parameters())
            {
                // Ties, zeros and subnormal numbers among them.
                weight.copy_(randn(weight.shape, generator: generator).mul(8).round().div(64));
                weight.view(-1).narrow(0, 5, 3).fill_(1e-39);
            }
        }

        var kernels = ReportOf(model, pattern, temperature, isRelative);
        var tensors = ReportOf(model, new Unknown(pattern), temperature, isRelative);

        foreach (var (one, other) in kernels.Layers.Zip(tensors.Layers))
        {
            Assert.Equal((other.Name, other.Elements, other.Removed, other.Zeros, other.Subnormals, other.Violations), (
                one.Name, one.Elements, one.Removed, one.Zeros, one.Subnormals, one.Violations));
            Assert.Equal(other.Undecided, one.Undecided, 1e-12);
            Near(other.Threshold!.Value, one.Threshold!.Value);
            Near(other.Temperature!.Value, one.Temperature!.Value);
            Near(other.Sharpness!.Value, one.Sharpness!.Value);
            Near(other.Leak, one.Leak);
        }

        Near(tensors.Leak, kernels.Leak);
        Assert.Contains(kernels.Layers, layer => layer.Zeros > 0 && layer.Subnormals > 0);
    }

    private static void Near(double expected, double actual) => Assert.Equal(expected, actual, 1e-12 + (1e-5 * Math.Abs(expected)));

    private static PruningReport ReportOf(Module model, IMaskStrategy strategy, double temperature, bool isRelative)
    {
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 1,
            Strategy = strategy,
            Sparsity = strategy.FixedSparsity is null ? 0.6 : null,
            Schedule = new ConstantSparsity(),
            Temperature = isRelative ? Temperature.Relative(temperature) : Temperature.Absolute(temperature),
        });
        pruner.BeginEpoch(0);
        return pruner.Report();
    }

    /// <summary>A strategy that the kernels don't know.</summary>
    private sealed record Unknown(IMaskStrategy Strategy) : IMaskStrategy
    {
        public string Name => Strategy.Name;

        public double? FixedSparsity => Strategy.FixedSparsity;

        public string? UnsupportedReason(WeightLayout layout) => Strategy.UnsupportedReason(layout);

        public Grouping GroupingOf(WeightLayout layout) => Strategy.GroupingOf(layout);

        public long Removed(long target, double fraction) => Strategy.Removed(target, fraction);

        public Tensor Magnitude(Tensor weight, WeightLayout layout) => Strategy.Magnitude(weight, layout);

        public Tensor Sum(Tensor values, WeightLayout layout) => Strategy.Sum(values, layout);

        public Tensor Spread(Tensor grouped, WeightLayout layout) => Strategy.Spread(grouped, layout);

        public double ScoreSlope(WeightLayout layout) => Strategy.ScoreSlope(layout);
    }
}
