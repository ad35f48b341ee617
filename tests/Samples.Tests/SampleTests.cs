using System.Runtime.InteropServices;

namespace Pdp.Samples.Tests;

public sealed class SampleTests
{
    private static readonly string[] Arguments = ["--sparsity", "0.9"];

    [Fact]
    public void Run_WhenAllIsWell_GivesTheExitCodeAndSaysNothing()
    {
        using var errors = new StringWriter();

        Assert.Equal(130, Sample.Run(Arguments, errors, () => 130));

        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public void Run_WhenAnErrorNamesAnOption_SaysThatAlone()
    {
        Assert.Equal("--lr is wrong.\n", ErrorOf(new ArgumentException("--lr is wrong.")));
    }

    // The library knows no options, so that its errors come with those that were given.
    [Fact]
    public void Run_WhenAnErrorNamesNoOption_ShowsTheOptionsGiven()
    {
        Assert.Equal("Too much.\nThe options given are --sparsity 0.9\n", ErrorOf(
            new ArgumentOutOfRangeException("sparsity", 2, "Too much.")));
    }

    public static TheoryData<Exception> Causes =>
    [
        new FormatException("!"), new OverflowException("!"), new InvalidDataException("!"), new UnauthorizedAccessException("!"),
        new FileNotFoundException("!"),
        new InvalidOperationException("!"), new System.Text.Json.JsonException("!"), new HttpRequestException("!"), new FromLibtorch("!"),
        new InsufficientMemoryException("!"),
    ];

    [Theory]
    [MemberData(nameof(Causes))]
    public void Run_WhenAUserCanHaveCausedIt_ShowsNoStackTrace(Exception cause)
    {
        Assert.StartsWith("!\n", ErrorOf(cause), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhenTheProgramIsAtFault_Throws()
    {
        Assert.Throws<NotImplementedException>(() => ErrorOf(new NotImplementedException()));
    }

    private static string ErrorOf(Exception error)
    {
        using var errors = new StringWriter();
        Assert.Equal(1, Sample.Run(Arguments, errors, () => throw error));
        return errors.ToString();
    }

    private sealed class FromLibtorch(string message) : ExternalException(message);
}
