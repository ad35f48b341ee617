using System.Diagnostics;
using Pdp.Samples.Comparison;
using Pdp.Training;
using static Pdp.Samples.Tests.Cifar10.Comparison.ShellRuns;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>Runs are shell commands here that leave a report, or don't.</summary>
public sealed class CellRunsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunAsync_RunsWhatIsMissingAndNothingElse()
    {
        var folders = Folders();
        Leave(folders[1]);
        var started = new List<string>();

        var failures = await new CellRuns(folders, jobs: 1, folder => Leaving(folder, started)).RunAsync(CancellationToken.None);

        Assert.Equal(0, failures);
        Assert.Equal(["dense-dense-0", "80-gmp-0"], started);
        Assert.All(folders, folder => Assert.NotNull(folder.Report()));
    }

    [Fact]
    public async Task RunAsync_WhenOneFails_GoesOnWithTheOthers()
    {
        var folders = Folders();
        var started = new List<string>();

        var failures = await new CellRuns(folders, jobs: 1, folder =>
            folder.Cell.Method == "pdp" ? Shell("exit 3") : Leaving(folder, started)).RunAsync(CancellationToken.None);

        Assert.Equal(1, failures);
        Assert.Equal(["dense-dense-0", "80-gmp-0"], started);
        Assert.Null(folders[1].Report());
    }

    [Fact]
    public async Task RunAsync_WhenARunFails_KeepsWhatItSaid()
    {
        var folders = Folders();

        await new CellRuns(folders, jobs: 1, folder =>
            Shell("echo begun; echo 'no such data' >&2; echo '   at Program.Main()' >&2; exit 3")).RunAsync(CancellationToken.None);

        Assert.All(folders, folder => Assert.Equal("no such data", folder.Outcome().Fault));
        Assert.Equal("begun\nno such data\n   at Program.Main()\n", File.ReadAllText(folders[0].Log));
    }

    [Theory]
    [InlineData("exit 0", "It ended without a report, and said nothing.")]
    [InlineData("exit 3", "It ended with exit code 3, and said nothing.")]
    [InlineData("kill -9 $$", "It was ended by signal 9, and said nothing; did memory run out?")]
    public async Task RunAsync_WhenARunSaysNothing_SaysHowItEnded(string script, string expected)
    {
        var folders = Folders();

        var failures = await new CellRuns(folders, jobs: 1, folder => Shell(script)).RunAsync(CancellationToken.None);

        Assert.Equal(folders.Length, failures);
        Assert.Equal(expected, folders[1].Outcome().Fault);
    }

    [Fact]
    public async Task RunAsync_WhenARunCannotBeStarted_SaysSoOfIt()
    {
        var folders = Folders();
        static ProcessStartInfo Nothing(CellFolder folder) =>
            new("/nowhere/at/all") { RedirectStandardOutput = true, RedirectStandardError = true };

        await new CellRuns(folders, jobs: 1, Nothing).RunAsync(CancellationToken.None);

        Assert.StartsWith("The run could not be started", folders[0].Outcome().Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WhenTheDenseRunFailed_SaysSoOfThoseThatLearnFromIt()
    {
        var recipe = Recipes.Parse(
            """{ "seeds": [0], "columns": { "80 %": {} }, "methods": { "pdp": { "options": { "teacher": "{dense}" } } } }""");
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))];

        var failures = await new CellRuns(folders, jobs: 1, folder => Shell("exit 3")).RunAsync(CancellationToken.None);

        Assert.Equal(2, failures);
        Assert.Equal("It learns from dense-dense-0, which failed.", folders[1].Outcome().Fault);
    }

    [Fact]
    public async Task RunAsync_OfARowThatTakesTheSparsitiesOfAnother_RunsItLast()
    {
        var recipe = Recipes.Parse(
            """{ "seeds": [0], "columns": { "80 %": {} }, "methods": { "pdp": { "options": { "allocation": "from:{gmp}" } },"""
                + """ "gmp": {} } }""");
        CellFolder[] folders = [.. recipe.Cells().Select(cell => new CellFolder(Recipes.Sample, _folder.Path, cell))];
        var started = new List<string>();

        await new CellRuns(folders, jobs: 1, folder => folder.Cell.Method == "gmp" ? Shell("exit 3") : Leaving(folder, started))
            .RunAsync(CancellationToken.None);

        Assert.Equal("It takes the sparsities of 80-gmp-0, which failed.", folders[1].Outcome().Fault);
        Assert.Equal(["dense-dense-0"], started);
    }

    [Fact]
    public async Task RunAsync_AfterEachRun_TellsOfIt()
    {
        var folders = Folders();
        var finished = new List<int>();

        await new CellRuns(folders, jobs: 1, folder => Leaving(folder, []), () => finished.Add(new Results(folders).Cells.Count))
            .RunAsync(CancellationToken.None);

        Assert.Equal([1, 2, 3], finished);
    }

    [Fact]
    public async Task RunAsync_AfterAFailure_RunsItAgainAndForgetsIt()
    {
        var folders = Folders();
        await new CellRuns(folders, jobs: 1, folder => Shell("exit 3")).RunAsync(CancellationToken.None);

        var failures = await new CellRuns(folders, jobs: 1, folder => Leaving(folder, [])).RunAsync(CancellationToken.None);

        Assert.Equal(0, failures);
        Assert.Empty(new Results(folders).Failures);
    }

    [Fact]
    public async Task RunAsync_WhenARunOfAKilledComparisonIsStillAtWork_TakesItsResult()
    {
        var folders = Folders();
        Leave(folders[0]);
        Leave(folders[2]);
        var (started, console, written) = (new List<string>(), Console.Out, new StringWriter());
        var atWork = FolderLock.Take(folders[1].Path);
        Console.SetOut(TextWriter.Synchronized(written));
        try
        {
            var running = new CellRuns(folders, jobs: 1, folder => Leaving(folder, started)).RunAsync(CancellationToken.None);
            Assert.True(SpinWait.SpinUntil(() => Said().Contains("waiting for the run of an earlier comparison", StringComparison.Ordinal),
                TimeSpan.FromMinutes(1)));
            Leave(folders[1]);
            atWork.Dispose();

            Assert.Equal(0, await running);
            Assert.Empty(started);
        }
        finally
        {
            Console.SetOut(console);
        }

        string Said()
        {
            lock (Console.Out)
                return written.ToString();
        }
    }

    [Fact]
    public async Task RunAsync_DropsWhatAnEarlierRunHasLeft()
    {
        var folders = Folders();
        AtomicFile.WriteText(Path.Combine(folders[1].Path, "history.json"), "[]");

        await new CellRuns(folders, jobs: 1, folder => Shell("exit 0")).RunAsync(CancellationToken.None);

        Assert.False(File.Exists(Path.Combine(folders[1].Path, "history.json")));
    }

    private CellFolder[] Folders() => ShellRuns.Folders(_folder.Path);
}
