using System.Globalization;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

/// <summary>Users' own types describe themselves, whatever they hold.</summary>
public sealed class DescriptionTests
{
    private static readonly PdpOptions Options = new() { Sparsity = 0.5, Epochs = 8 };

    public static TheoryData<string, Func<PdpOptions>> Plugins => new()
    {
        { "a function", () => Options with { Schedule = new Formula(x => x * x) } },
        { "a tensor", () => Options with { Strategy = new Weighted(ones(3)) } },
        { "infinity", () => Options with { Strategy = new Weighted(null) { Limit = double.PositiveInfinity } } },
        { "an endless property", () => Options with { Allocation = new Endless() } },
        { "a failing property", () => Options with { Allocation = new Failing() } },
    };

    public static TheoryData<string, string> Words => new()
    {
        { new ConstantSparsity().Describe(), "ConstantSparsity" },
        { new OneShot { Epoch = 2.5 }.Describe(), "OneShot at epoch 2.5" },
        { new EpsilonRamp().Describe(), "EpsilonRamp of 0.015 an epoch after 16 dense epochs" },
        { new CosineRamp(1, 2.5).Describe(), "CosineRamp from epoch 1 to 2.5" },
        { new Unstructured().Describe(), "unstructured" },
        { NofM.Keep(2, of: 4).Describe(), "2:4" },
        { (NofM.Keep(2, of: 4) with { Gradual = false }).Describe(), "2:4 at once" },
        { (new Block(16, 1) { Score = ScoreNorm.L2 }).Describe(), "16x1-l2" },
        { new PerChannel { Score = ScoreNorm.L2 }.Describe(), "channel-l2" },
        { new PerChannel { RoundTo = 8 }.Describe(), "channel, a multiple of 8 kept" },
        { new ErdosRenyiKernel().Describe(), "ErdosRenyiKernel" },
        { new LayerAdaptiveMagnitude().Describe(), "LayerAdaptiveMagnitude with a density floor of 0.2" },
        { new LayerAdaptiveMagnitude { DensityFloor = 0 }.Describe(), "LayerAdaptiveMagnitude" },
        { new SparsityTable(new Dictionary<string, double> { ["b"] = 0.5, ["a"] = 0.25 }).Describe(), "SparsityTable: a 0.25, b 0.5" },
    };

    [Theory]
    [MemberData(nameof(Words))]
    public void Describe_SaysWhatItIsSetTo(string words, string expected) => Assert.Equal(expected, words);

    [Theory]
    [MemberData(nameof(Plugins))]
    public void State_OfAUsersTypeThatHolds_IsRestored(string what, Func<PdpOptions> options)
    {
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, options());
        saved.BeginEpoch(0);
        using var pruner = new PdpPruner(model, options());

        pruner.Restore(PrunerState.FromJson(saved.GetState().ToJson()));

        Assert.True(pruner.Epoch == 0, what);
    }

    [Fact]
    public void Restore_WhenAUsersFunctionIsAnother_ShowsTheShares()
    {
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, Options with { Schedule = new Formula(x => x * x) });
        using var pruner = new PdpPruner(model, Options with { Schedule = new Formula(x => x) });

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(saved.GetState()));

        Assert.Contains("from epoch 2 to 6, asking for 0, 0.0625, 0.25, 0.5625, 1 when", fault.Message);
        Assert.Contains("from epoch 2 to 6, asking for 0, 0.25, 0.5, 0.75, 1 now", fault.Message);
    }

    [Fact]
    public void Restore_WhenAUsersPropertyIsAnother_ShowsIt()
    {
        using var model = TestModels.Cnn();
        using var saved = new PdpPruner(model, Options with { Strategy = new Weighted(null) { Limit = 0.5 } });
        using var pruner = new PdpPruner(model, Options with { Strategy = new Weighted(null) { Limit = 0.25 } });

        var fault = Assert.Throws<ArgumentException>(() => pruner.Restore(saved.GetState()));

        Assert.Contains("Limit = 0.5", fault.Message);
        Assert.Contains("Limit = 0.25", fault.Message);
    }

    [Fact]
    public void Describe_InAnotherCulture_IsTheSame()
    {
        var before = CultureInfo.CurrentCulture;
        IMaskStrategy strategy = new Weighted(null) { Limit = 0.5 };
        ISparsityScheduler schedule = new Formula(x => x * x);
        var expected = Descriptions();

        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.Equal(expected, Descriptions());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        string[] Descriptions() =>
            [strategy.Describe(), schedule.Describe(), new CubicRamp(0.5, 1.5).Describe(), new EpsilonRamp().Describe()];
    }

    private sealed record Formula(Func<double, double> Function) : ISparsityScheduler
    {
        public double StartEpoch => 2;

        public double EndEpoch => 6;

        public double Fraction(double epoch) => Function(Math.Clamp((epoch - 2) / 4, 0, 1));
    }

    private sealed record Weighted(Tensor? Importance) : IMaskStrategy
    {
        private readonly Unstructured _plain = new();

        public double Limit { get; init; }

        public string Name => "weighted";

        public double? FixedSparsity => null;

        public string? UnsupportedReason(WeightLayout layout) => null;

        public Grouping GroupingOf(WeightLayout layout) => _plain.GroupingOf(layout);

        public long Removed(long target, double fraction) => _plain.Removed(target, fraction);

        public Tensor Magnitude(Tensor weight, WeightLayout layout) => _plain.Magnitude(weight, layout);

        public Tensor Sum(Tensor values, WeightLayout layout) => _plain.Sum(values, layout);

        public Tensor Spread(Tensor grouped, WeightLayout layout) => _plain.Spread(grouped, layout);

        public double ScoreSlope(WeightLayout layout) => 1;
    }

    private sealed record Endless : ISparsityAllocation
    {
        public Endless Next => this with { };

        public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

        public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove) =>
            new UniformSparsity().Allocate(layers, remove);
    }

    private sealed record Failing : ISparsityAllocation
    {
        public double Value => throw new NotSupportedException();

        public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

        public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove) =>
            new UniformSparsity().Allocate(layers, remove);
    }
}
