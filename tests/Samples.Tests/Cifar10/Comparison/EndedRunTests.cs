using System.Diagnostics;
using System.Globalization;
using Pdp.Samples.Comparison;
using static Pdp.Samples.Tests.Cifar10.Comparison.ShellRuns;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>A comparison that ends leaves no run behind: these would go on for a day.</summary>
public sealed class EndedRunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _started = [];
    private Process? _run;

    private string Pid => _folder.File("pid");

    public void Dispose()
    {
        _run?.Kill();
        _run?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task RunAsync_WhenStopped_EndsTheRunAndKeepsFinishedCells()
    {
        var folders = Folders(_folder.Path);
        using var stop = new CancellationTokenSource();
        var running = new CellRuns(folders, jobs: 1, folder => folder.Cell.Method == "pdp" ? Endless("") : Leaving(folder, _started))
            .RunAsync(stop.Token);
        var run = Follow();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        Assert.True(run.WaitForExit(Patience));
        Assert.Equal([folders[0].Cell.Name], _started);
        Assert.NotNull(folders[0].Report());
        Assert.Null(folders[1].Report());
    }

    // The log is a link to a device that takes no byte, and the run prints more than a buffer holds.
    [FullDeviceFact]
    public async Task RunAsync_WhenALogCannotBeWritten_StopsAndEndsTheRun()
    {
        ProcessStartInfo Printing(CellFolder folder)
        {
            File.CreateSymbolicLink(folder.Log, FullDeviceFactAttribute.Path);
            return Endless($"until [ -e {_folder.File("go-on")} ]; do sleep 0.1; done; seq 100000;");
        }

        var running = new CellRuns(Folders(_folder.Path), jobs: 1, Printing).RunAsync(CancellationToken.None);
        var run = Follow();

        await File.WriteAllTextAsync(_folder.File("go-on"), "");

        await Assert.ThrowsAnyAsync<IOException>(() => running.WaitAsync(Patience));
        Assert.True(run.WaitForExit(Patience));
    }

    /// <summary>A run that says which process it is, does something, and goes on for a day.</summary>
    private ProcessStartInfo Endless(string script) => Shell($"echo $$ > {Pid}; {script} exec sleep 86400");

    /// <summary>The process of the run that is at work.</summary>
    private Process Follow()
    {
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Pid) && File.ReadAllText(Pid).EndsWith('\n'), Patience));
        _run = Process.GetProcessById(int.Parse(File.ReadAllText(Pid), CultureInfo.InvariantCulture));
        Assert.False(_run.HasExited);
        return _run;
    }
}
