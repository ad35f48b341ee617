using Pdp.Baselines.Tests.Support;
using Pdp.Tests.Support;

namespace Pdp.Baselines.Tests;

/// <summary>Masks that follow parameters which no optimizer has depend on position alone, or remove nothing: that is an error.</summary>
public sealed class LearnedParametersTests
{
    private static readonly double[] OneEpoch = [0, 0.2, 0.4, 0.6, 0.8];

    public static TheoryData<string> Names => ["OptG", "MVP", "STR", "channel MVP", "tied MVP"];

    public static TheoryData<string> OfScores => ["OptG", "MVP", "channel MVP", "tied MVP"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_WhenNoOptimizerHasThem_IsRefusedAndNothingHasChanged(string name)
    {
        using var loop = AtTarget(name, learned: _ => false).Trained(OneEpoch);
        var (values, removed) = (loop.Values(), Removed(loop));

        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit());

        Assert.StartsWith("All ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("give pruner.Parameters to the optimizer", fault.Message, StringComparison.Ordinal);
        Assert.Equal(values, loop.Values());
        Assert.Equal(removed, Removed(loop));
        Assert.False(loop.Pruner.IsCommitted);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_WhenAnOptimizerHasSomeOfThem_NamesTheOthers(string name)
    {
        using var loop = AtTarget(name);
        var given = loop.Pruner.Parameters[0].Name;
        using var partly = AtTarget(name, learned: parameter => parameter == given).Trained(OneEpoch);

        var fault = Assert.Throws<InvalidOperationException>(() => partly.Pruner.Commit());

        Assert.All(partly.Pruner.Parameters.Skip(1), pair => Assert.Contains($"'{pair.Name}'", fault.Message, StringComparison.Ordinal));
        Assert.DoesNotContain($"'{given}'", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_WhenAnOptimizerHasThem_IsTaken(string name)
    {
        using var loop = AtTarget(name).Trained(Enumerable.Range(0, 8).Select(step => step / 2.0));

        Assert.True(loop.Pruner.Commit().Removed > 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void BeginEpoch_AfterAnEpochInWhichTheyNeverMoved_IsRefusedOnce(string name)
    {
        using var loop = AtTarget(name, learned: _ => false).Trained(OneEpoch);
        loop.Trained([1, 1.5]);
        var epoch = loop.Pruner.Epoch;

        var fault = Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(2));

        Assert.Contains("give pruner.Parameters to the optimizer", fault.Message, StringComparison.Ordinal);
        Assert.Equal(epoch, loop.Pruner.Epoch);
        loop.Pruner.BeginEpoch(2);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ALearningRateOf0InAWarmUp_IsNoFault(string name)
    {
        using var loop = AtTarget(name);
        loop.LearnedRate = 0;
        loop.Trained(Epochs(0, 4));
        loop.LearnedRate = 0.05;
        loop.Trained(Epochs(4, 5));

        loop.Pruner.Commit();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ALearningRateOf0ToTheEnd_IsAFaultOfCommit(string name)
    {
        using var loop = AtTarget(name);
        loop.LearnedRate = 0;
        loop.Trained(Epochs(0, 4));

        Assert.Contains(
            "never moved", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientsOfZero_AreNoFault(string name)
    {
        using var loop = AtTarget(name, learned: _ => false);
        loop.LossFactor = 0;

        loop.Trained(Epochs(0, 4));

        loop.Pruner.Commit();
    }

    [Theory]
    [MemberData(nameof(OfScores))]
    public void BeforePruningBegins_NothingIsAsked(string name)
    {
        using var loop = new Loop(name, options => options with { Schedule = new LinearRamp(5, 9) }, learned: _ => false);
        loop.Trained(Epochs(0, 6));

        Assert.Throws<InvalidOperationException>(() => loop.Trained(Epochs(6, 9)));
    }

    [Theory]
    [MemberData(nameof(OfScores))]
    public void Commit_WithoutTraining_IsRefused(string name)
    {
        using var loop = AtTarget(name);
        loop.Pruner.BeginEpoch(0);
        loop.Evaluate(EvaluationOrder.NoGradFirst, MaskForm.Soft);

        Assert.Contains(
            "train inside mask scopes",
            Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OptG")]
    [InlineData("MVP")]
    public void ALayerThatIsFrozen_IsRefusedByName(string name)
    {
        using var loop = AtTarget(name);
        foreach (var entry in loop.Model.named_parameters())
            entry.parameter.requires_grad_(!entry.name.StartsWith("first", StringComparison.Ordinal));
        loop.Trained(Epochs(0, 1));

        loop.Pruner.BeginEpoch(1);
        var fault = Assert.Throws<InvalidOperationException>(() => loop.Trained(Epochs(2, 3)));
        var last = Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit());

        Assert.All((string[])[fault.Message, last.Message], message =>
        {
            Assert.Contains("'first.weight.score'", message, StringComparison.Ordinal);
            Assert.DoesNotContain("'second.weight.score'", message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WhatIsNotFinite_IsRefused(string name)
    {
        using var loop = AtTarget(name).Trained(OneEpoch);
        var (last, parameter) = loop.Pruner.Parameters[^1];
        Tensors.Fill(parameter, [.. Enumerable.Repeat(double.NaN, (int)parameter.numel())]);

        Assert.StartsWith(
            $"'{last}' holds NaN",
            Assert.Throws<InvalidOperationException>(() => loop.Pruner.BeginEpoch(1)).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"'{last}' holds NaN", Assert.Throws<InvalidOperationException>(() => loop.Pruner.Commit()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThresholdsFarBelow0_ThatNoOptimizerHas_AreAFault()
    {
        using var none = FarBelow0(learned: _ => false).Trained(OneEpoch);
        using var some = FarBelow0(learned: name => name.StartsWith("first", StringComparison.Ordinal)).Trained(OneEpoch);
        using var late = FarBelow0(learned: _ => false);
        using var all = FarBelow0(learned: _ => true).Trained(Epochs(0, 4));

        Assert.Contains(
            "only decay moves them",
            Assert.Throws<InvalidOperationException>(() => none.Pruner.Commit()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "'second.weight.threshold'",
            Assert.Throws<InvalidOperationException>(() => some.Pruner.Commit()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "only decay moves them",
            Assert.Throws<InvalidOperationException>(() => late.Trained(Epochs(0, 4))).Message,
            StringComparison.Ordinal);
        all.Pruner.Commit();

        static Loop FarBelow0(Func<string, bool> learned) => new("STR", options => options with { Method = new Str() }, learned);
    }

    private static Loop AtTarget(string name, Func<string, bool>? learned = null) =>
        new(name, options => name == "STR" ? options : options with { Schedule = new ConstantSparsity() }, learned);

    /// <summary>Two steps an epoch.</summary>
    private static IEnumerable<double> Epochs(int from, int to) => Enumerable.Range(2 * from, 2 * (to - from)).Select(step => step / 2.0);

    private static long[] Removed(Loop loop) => [.. loop.Pruner.Masks.Select(mask => mask.Removed)];
}
