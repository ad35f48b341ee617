using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests;

public sealed class DenseNoteTests
{
    [Theory]
    [InlineData("dense", null)]
    [InlineData("dense", "--sparsity", "--sparsity", "0.95")]
    [InlineData("dense", "--strategy, --ramp-end", "--strategy", "2:4", "--ramp-end", "3")]
    [InlineData("dense", null, "--seed", "3", "--epochs", "9")]
    [InlineData("pdp", null, "--sparsity", "0.95")]
    public void Of_NamesTheOptionsThatADenseRunIgnores(string method, string? expected, params string[] arguments)
    {
        var settings = CommandLine.Parse<Settings>([.. arguments, "--method", method]);

        Assert.Equal(
            expected is null ? null : $"A dense run prunes nothing, whatever {expected} say: --method pdp prunes.",
            DenseNote.Of(settings, settings.Method));
    }
}
