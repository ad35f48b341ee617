using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>The sample's processes under mpirun, with a network that has dropout, batch-norm and depthwise convolutions.</summary>
public sealed partial class DistributedTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly string? Mpirun = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Join(folder, "mpirun")).FirstOrDefault(File.Exists);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [DistributedFact]
    public void Run_WhenARankIsKilled_EndsAllAndResumesToTheSameWeights()
    {
        Assert.Equal(0, Finish(Start("whole", ranks: 2), out _));

        using var killed = Start("killed", ranks: 2);
        var victim = WaitForSteps(killed, "killed");
        Process.GetProcessById(victim).Kill();
        Assert.True(killed.WaitForExit(Longest));
        Assert.NotEqual(0, killed.ExitCode);
        RequireWhole("killed");
        Copy("killed", "alone");

        Assert.Equal(0, Finish(Start("killed", ranks: 2, ["--resume"]), out _));
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/weights.safetensors")), File.ReadAllBytes(
            _folder.File("killed/weights.safetensors")));

        // With another number of ranks the batches are the same, and only the batch norms see other shares of them.
        Assert.Equal(0, Finish(Start("alone", ranks: 1, ["--resume"]), out var output));
        Assert.Contains("continuing from", output, StringComparison.Ordinal);
        Assert.Contains("\"ranks\":1", output, StringComparison.Ordinal);
        Assert.Equal(Zeros("whole"), Zeros("alone"));
    }

    [DistributedFact]
    public void Run_WhenTheBatchCantBeDivided_SaysSoOnEachRank()
    {
        Assert.NotEqual(0, Finish(Start("odd", ranks: 3), out var output));

        Assert.Equal(3, output.Split("16 pictures can't be divided among 3 ranks").Length - 1);
        Assert.False(Directory.Exists(_folder.File("odd/checkpoints")));
    }

    [DistributedFact]
    public void Run_WhenInterrupted_KeepsTheStep()
    {
        // An epoch of 4000 steps takes minutes, and mpirun takes ten seconds to pass the signal on: the only checkpoint is the one that
        // the signal brings.
        using var run = Start("stopped", ranks: 2, ["--lr", "0.01"], pictures: 32000, batch: 8, checkpointSteps: 0);
        WaitFor(run, Training());
        using var kill = Process.Start("kill", ["-TERM", $"{run.Id}"]);

        Assert.NotEqual(0, Finish(run, out var output));

        Assert.Contains("Interrupted; continue with --resume.", output, StringComparison.Ordinal);
        RequireWhole("stopped");
        Assert.InRange(Steps(Assert.Single(Checkpoints("stopped"))), 1, 3999);
    }

    private Process Start(string run, int ranks, string[]? more = null, int pictures = 64, int batch = 16, int checkpointSteps = 1)
    {
        string[] sample =
        [
            KillFactAttribute.Program!, "--data", $"synthetic:{pictures}", "--model", "mobilenet-v2", "--classes", "10", "--side", "32",
            "--batch", $"{batch}", "--threads", "1",
            "--method", "pdp", "--sparsity", "0.7", "--dense-epochs", "0.5", "--ema", "0.9", "--agreement-steps", "2", "--out",
            _folder.File(run), "--epochs", "3", "--checkpoint-steps", $"{checkpointSteps}", .. more ?? [],
        ];
        string[] alone = ["dotnet", .. sample];
        var command = ranks == 1 ? alone : [Mpirun!, "-n", $"{ranks}", .. alone, "--distributed"];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Open MPI wants to be asked for root and for more ranks than cores. It passes a signal on after a second and gives ranks another
        // to end, which is too little on a busy machine; both are this setting.
        foreach (var name in (string[])["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"])
            start.Environment[name] = "1";
        start.Environment["OMPI_MCA_odls_base_sigkill_timeout"] = "10";
        start.Environment["TERM"] = "dumb";
        return Process.Start(start)!;
    }

    private static int Finish(Process process, out string output)
    {
        var errors = process.StandardError.ReadToEndAsync();
        output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        Assert.True(process.WaitForExit(Longest), output);
        return process.ExitCode;
    }

    // The process of rank 1, once there is a checkpoint.
    private int WaitForSteps(Process process, string run)
    {
        var rank = int.Parse(WaitFor(process, Rank1()).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        while (!Directory.Exists(_folder.File($"{run}/checkpoints")) || Checkpoints(run).Length == 0)
        {
            Assert.False(process.HasExited, "It ended before it was to be killed.");
            Thread.Sleep(10);
        }

        return rank;
    }

    // Once it says so.
    private static Match WaitFor(Process process, Regex words)
    {
        Match match;
        do
        {
            var line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException(process.StandardError.ReadToEnd());
            match = words.Match(line);
        }
        while (!match.Success);

        return match;
    }

    [GeneratedRegex("rank 1 is process ([0-9]+)")]
    private static partial Regex Rank1();

    [GeneratedRegex("^epoch 1/3: ")]
    private static partial Regex Training();

    private string[] Checkpoints(string run) => Directory.GetFiles(_folder.File($"{run}/checkpoints"), "step-*.safetensors");

    private static int Steps(string checkpoint) =>
        int.Parse(Path.GetFileNameWithoutExtension(checkpoint)["step-".Length..], CultureInfo.InvariantCulture);

    private void RequireWhole(string run)
    {
        using var scope = NewDisposeScope();
        Assert.All(Checkpoints(run), file => Assert.NotEmpty(Safetensors.Load(file)));
        Assert.NotEmpty(Checkpoints(run));
    }

    private void Copy(string from, string to)
    {
        Directory.CreateDirectory(_folder.File($"{to}/checkpoints"));
        foreach (var file in Directory.GetFiles(_folder.File($"{from}/checkpoints")))
            File.Copy(file, _folder.File($"{to}/checkpoints/{Path.GetFileName(file)}"));
    }

    private string Zeros(string run) => File.ReadAllText(_folder.File($"{run}/report.json")).Split("\"zeros\":")[1].Split(',')[0];

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class DistributedFactAttribute : FactAttribute
    {
        public DistributedFactAttribute()
        {
            if (KillFactAttribute.Program is null || Mpirun is null)
            {
                Skip = "The environment variable PDP_IMAGENET, the path of the sample's ImageNet.dll, is not set, or there is no mpirun.";
            }
        }
    }
}
