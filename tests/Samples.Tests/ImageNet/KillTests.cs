using System.Diagnostics;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>The sample's process under signals, with a network that has dropout, batch-norm and depthwise convolutions.</summary>
public sealed class KillTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [KillFact]
    public void Run_WhenKilledTenTimesAtRandom_EndsWithTheSameBytes()
    {
        Assert.Equal(0, Finish(Start("whole")));
        var random = new Random();

        for (var kill = 0; kill < 10; kill++)
        {
            var before = Newest("killed");
            using var process = before is null ? Start("killed") : Start("killed", "--resume");
            WaitForStep(process, "killed", before);
            Thread.Sleep(random.Next(500));
            process.Kill();
            process.WaitForExit();
            RequireWhole("killed");
        }

        Assert.Equal(0, Finish(Start("killed", "--resume")));
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/weights.safetensors")), File.ReadAllBytes(
            _folder.File("killed/weights.safetensors")));
        Assert.Equal(Losses("whole"), Losses("killed"));
    }

    [KillFact]
    public void Run_WhenInterruptedTwice_KeepsACheckpointAndThenStopsAtOnce()
    {
        using var once = Start("once");
        WaitForStep(once, "once", null);
        Signal(once);
        Assert.Equal(130, Finish(once));
        RequireWhole("once");

        using var twice = Start("twice", "--checkpoint-steps", "0", "--batch", "1024");
        Thread.Sleep(TimeSpan.FromSeconds(4));
        Signal(twice);
        Signal(twice);

        // A step with 1024 pictures takes longer.
        Assert.True(twice.WaitForExit(TimeSpan.FromSeconds(2)));
        Assert.NotEqual(0, twice.ExitCode);
    }

    private Process Start(string run, params string[] more) => Process.Start(new ProcessStartInfo("dotnet", [
        KillFactAttribute.Program!, "--data", "synthetic:1024", "--model", "mobilenet-v2", "--classes", "10", "--side", "32", "--batch",
        "32", "--epochs", "4",
        "--method", "pdp", "--sparsity", "0.7", "--dense-epochs", "0.5", "--ema", "0.9", "--checkpoint-steps", "1", "--threads", "1",
        "--out", _folder.File(run), .. more])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static int Finish(Process process)
    {
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var errors = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(Longest));
        Assert.True(process.ExitCode is 0 or 130, errors);
        return process.ExitCode;
    }

    private static void Signal(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
        Thread.Sleep(200);
    }

    private void WaitForStep(Process process, string run, string? before)
    {
        while (Newest(run) == before)
        {
            Assert.False(process.HasExited, "It ended before it was to be killed.");
            Thread.Sleep(10);
        }
    }

    private string? Newest(string run)
    {
        var folder = _folder.File($"{run}/checkpoints");
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "step-*.safetensors").Max(StringComparer.Ordinal) : null;
    }

    private void RequireWhole(string run)
    {
        var folder = _folder.File($"{run}/checkpoints");
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.safetensors") : [])
        {
            using var scope = NewDisposeScope();
            Assert.True(Checkpoint.Is(file));
            Assert.NotEmpty(Safetensors.Load(file));
        }
    }

    // Without the last columns, which are times.
    private string[] Losses(string run) =>
        [.. File.ReadAllLines(_folder.File($"{run}/metrics.csv")).Select(line => string.Join(',', line.Split(',')[..^2]))];
}
