using System.Diagnostics;
using System.Globalization;
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
    public void Run_WhenKilledTenTimes_EndsWithTheSameBytes()
    {
        Assert.Equal(0, Finish(Start("whole")));
        var random = new Random(0);

        // Less than half of the 128 steps, so that a busy machine that comes late doesn't find the run at its end.
        for (var kill = 0; kill < 10; kill++)
        {
            var before = Steps("killed");
            using var process = Start("killed", before == 0 ? [] : ["--resume"]);
            WaitForSteps(process, "killed", before + random.Next(1, 8));
            // Somewhere within a step.
            Thread.Sleep(random.Next(30));
            process.Kill();
            process.WaitForExit();
            RequireWhole("killed");
        }

        Assert.Equal(0, Finish(Start("killed", ["--resume"])));
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/weights.safetensors")), File.ReadAllBytes(
            _folder.File("killed/weights.safetensors")));
        Assert.Equal(Losses("whole"), Losses("killed"));
    }

    [KillFact]
    public void Run_WhenInterruptedTwice_KeepsACheckpointAndThenStopsAtOnce()
    {
        // An epoch of 256 steps takes seconds: the only checkpoint is the one that the signal brings.
        using var once = Start("once", ["--lr", "0.001"], batch: 4, checkpointSteps: 0);
        WaitForTraining(once);
        Signal(once);
        Assert.Equal(130, Finish(once, out var said));
        Assert.Contains("Interrupted", said, StringComparison.Ordinal);
        RequireWhole("once");
        Assert.InRange(Steps("once"), 1, 255);

        using var twice = Start("twice", batch: 1024, checkpointSteps: 0);
        WaitForTraining(twice);
        Signal(twice);
        Assert.False(twice.HasExited, "The first signal ended it.");
        Signal(twice);

        // A step with 1024 pictures takes longer than both signals, and ends with this message unless the second one is heard.
        Assert.Equal(130, Finish(twice, out var output));
        Assert.DoesNotContain("Interrupted", output, StringComparison.Ordinal);
    }

    private Process Start(string run, string[]? more = null, int batch = 32, int checkpointSteps = 1)
    {
        string[] sample =
        [
            KillFactAttribute.Program!, "--data", "synthetic:1024", "--model", "mobilenet-v2", "--classes", "10", "--side", "32",
            "--batch", $"{batch}", "--epochs", "4",
            "--method", "pdp", "--sparsity", "0.7", "--dense-epochs", "0.5", "--ema", "0.9", "--checkpoint-steps", $"{checkpointSteps}",
            "--threads", "1", "--out", _folder.File(run), .. more ?? [],
        ];
        return Process.Start(new ProcessStartInfo("dotnet", sample) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private static int Finish(Process process) => Finish(process, out _);

    private static int Finish(Process process, out string output)
    {
        var errors = process.StandardError.ReadToEndAsync();
        output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        Assert.True(process.WaitForExit(Longest), output);
        Assert.True(process.ExitCode is 0 or 130, output);
        return process.ExitCode;
    }

    private static void Signal(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
        // Else two signals may be taken for one.
        Thread.Sleep(20);
    }

    // The header of its table, and into the first step.
    private static void WaitForTraining(Process process)
    {
        string? line;
        do
        {
            line = process.StandardOutput.ReadLine();
            Assert.True(line is not null, "It ended before it trained.");
        }
        while (!line!.StartsWith("epoch ", StringComparison.Ordinal));

        Thread.Sleep(300);
    }

    private void WaitForSteps(Process process, string run, int steps)
    {
        while (Steps(run) < steps)
        {
            Assert.False(process.HasExited, "It ended before it was to be killed.");
            Thread.Sleep(10);
        }
    }

    // Those of the newest checkpoint.
    private int Steps(string run)
    {
        var folder = _folder.File($"{run}/checkpoints");
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "step-*.safetensors") : [];
        var steps = files.Select(file => Path.GetFileNameWithoutExtension(file)["step-".Length..]);
        return steps.Select(step => int.Parse(step, CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();
    }

    private void RequireWhole(string run)
    {
        var files = Directory.GetFiles(_folder.File($"{run}/checkpoints"), "*.safetensors");
        Assert.NotEmpty(files);
        foreach (var file in files)
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
