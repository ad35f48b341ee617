using static TorchSharp.torch;

namespace Pdp.Training.Tests.Distributed;

public sealed class AgreementTests
{
    [Fact]
    public void Require_WhenOptionsDiffer_NamesTheOptionAndBothValues()
    {
        var error = ErrorOf(3, rank => new() { ["--seed"] = "1", ["--lr"] = rank == 2 ? "0.2" : "0.1" });

        Assert.Equal("The ranks differ in '--lr': it is '0.1' on rank 0, and '0.2' on rank 2.", error);
    }

    [Fact]
    public void Require_WhenAnOptionIsSetOnOneRankOnly_SaysWhere()
    {
        var error = ErrorOf(2, rank => rank == 1 ? new() { ["--ema"] = "0.9" } : []);

        Assert.Equal("The ranks differ in '--ema': it is not set on rank 0, and '0.9' on rank 1.", error);
    }

    [Fact]
    public void Require_WhenATextReadsNotSet_TellsItFromNone()
    {
        var error = ErrorOf(2, rank => rank == 1 ? new() { ["--ema"] = "not set" } : []);

        Assert.Equal("The ranks differ in '--ema': it is not set on rank 0, and 'not set' on rank 1.", error);
    }

    [Theory]
    [InlineData("a", null, "The text of 'a' is null")]
    [InlineData("a", "1\02", "'a' or its text contains the character '\\0'")]
    [InlineData("a\0", "1", "'a\\0' or its text contains the character '\\0'")]
    public void Require_OfATextThatCantBeSent_IsRefused(string name, string? text, string reason)
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => Agreement.Require(SingleRank.Instance, new Dictionary<string, string> { [name] = text! }));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    // It would be sent as another character, the same as that of other halves.
    [Fact]
    public void Require_OfHalfASurrogatePair_IsRefused()
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => Agreement.Require(SingleRank.Instance, new Dictionary<string, string> { ["a"] = "\ud800" }));

        Assert.Contains("\\uD800", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_OfATensorThatIsNull_NamesIt()
    {
        var error = Assert.Throws<ArgumentException>(() => Agreement.Require(SingleRank.Instance, [("mask", (Tensor)null!)]));

        Assert.Contains("The tensor of 'mask' is null.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_WhenOptionsAreTheSame_Passes()
    {
        ThreadRanks.Run(2, collective => Agreement.Require(collective, new Dictionary<string, string> { ["a"] = "", ["b"] = "ü" }));
    }

    [Fact]
    public void Require_WhenATensorDiffersInABit_NamesTheFirstOnEveryRank()
    {
        var errors = new string[3];

        Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(3, collective =>
        {
            using var scope = NewDisposeScope();
            var (same, other) = (ones(4), tensor(collective.Rank == 1 ? -0f : 0f));
            errors[collective.Rank] = Assert.Throws<InvalidDataException>(
                () => Agreement.Require(collective, [("first", same), ("second", other), ("third", other)])).Message;
            throw new InvalidDataException();
        }));

        Assert.All(errors, error => Assert.Equal(
            "The ranks no longer agree. The first to differ is 'second': it is not the same on rank 1 as on rank 0.", error));
    }

    [Fact]
    public void Require_WhenShapesDiffer_SaysSo()
    {
        var error = Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, collective =>
            Agreement.Require(collective, [("w", ones(collective.Rank + 1))])));

        Assert.Contains("names, shapes or types", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_OfTensorsOfAllKinds_PassesWhereTheyAreTheSame()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var scope = NewDisposeScope();
            Agreement.Require(
                collective,
                [("gaps", ones(3, 4).t()), ("empty", empty(0)), ("half", ones(2, ScalarType.BFloat16)), ("flag", tensor(true))]);
        });
    }

    private static string ErrorOf(int size, Func<int, Dictionary<string, string>> options) =>
        Assert.Throws<InvalidDataException>(() =>
            ThreadRanks.Run(size, collective => Agreement.Require(collective, options(collective.Rank)))).Message;
}
