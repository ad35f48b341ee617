namespace Pdp.Tests.Scheduling;

public sealed class EpochwiseClockTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void WholeEpochs_InAShortRun_AreAWarningInPlanAndReport(int epochs)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = epochs, Sparsity = 0.9 });

        Step(pruner, 0);
        Step(pruner, 1);
        var plan = pruner.Plan();
        for (var epoch = 2; epoch < epochs; epoch++)
            Step(pruner, epoch);

        Assert.Contains("call BeginEpoch(epoch, step, steps) before every step", Assert.Single(plan.Warnings));
        Assert.Contains("warning: The clock is set once an epoch, so the sparsity will rise", plan.ToString());
        Assert.Empty(pruner.Plan().Warnings);
        Assert.Contains("in one step of the clock", pruner.Report().Warnings[0]);
    }

    [Fact]
    public void Plan_BeforeTheClockHasMoved_DoesNotGuessHowItWill()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 8, Sparsity = 0.9 });

        var before = pruner.Plan();
        Step(pruner, 0);

        Assert.Empty(before.Warnings);
        Assert.Empty(pruner.Plan().Warnings);
    }

    [Fact]
    public void Steps_InAShortRun_RampWithoutAWarning()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 8, Sparsity = 0.9 });
        var sparsities = new List<double>();

        for (var step = 0; step < 8 * 50; step++)
        {
            Step(pruner, step / 50, step % 50, 50);
            sparsities.Add(pruner.Sparsity);
        }

        Assert.All(sparsities.Zip(sparsities.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 0, 0.1));
        Assert.Empty(pruner.Plan().Warnings);
        Assert.DoesNotContain(pruner.Report().Warnings, warning => warning.Contains("clock", StringComparison.Ordinal));
    }

    public static TheoryData<string> Jumps { get; } = ["constant", "one-shot", "stairs", "long", "2:4"];

    [Theory]
    [MemberData(nameof(Jumps))]
    public void Jumps_ThatWereAskedFor_AreNoWarning(string schedule)
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions { Epochs = 8, Sparsity = 0.9 };
        options = schedule switch
        {
            "constant" => options with { Schedule = new ConstantSparsity() },
            "one-shot" => options with { Schedule = new OneShot { Epoch = 3 } },
            "stairs" => options with { Schedule = new Stairs() },
            "2:4" => options with { Strategy = NofM.Keep(2, of: 4), Sparsity = null, Schedule = new LinearRamp(0, 7) },
            _ => options with { Epochs = 200 },
        };
        using var pruner = new PdpPruner(model, options);

        Assert.Empty(pruner.Plan().Warnings);
        for (var epoch = 0; epoch < options.Epochs; epoch++)
            Step(pruner, epoch);

        Assert.DoesNotContain(pruner.Report().Warnings, warning => warning.Contains("clock", StringComparison.Ordinal));
    }

    /// <summary>A step without training.</summary>
    private static void Step(PdpPruner pruner, int epoch, int step, int steps)
    {
        pruner.BeginEpoch(epoch, step, steps);
        pruner.Mask().Dispose();
    }

    private static void Step(PdpPruner pruner, double epoch)
    {
        pruner.BeginEpoch(epoch);
        pruner.Mask().Dispose();
    }

    private sealed record Stairs : ISparsityScheduler
    {
        public double StartEpoch => 1;

        public double EndEpoch => 3;

        public double Fraction(double epoch) => epoch < 1 ? 0 : epoch < 3 ? 0.5 : 1;
    }
}
