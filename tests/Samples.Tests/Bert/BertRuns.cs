using Pdp.Samples.Bert;
using Pdp.Samples.Bert.Training;

namespace Pdp.Samples.Tests.Bert;

/// <summary>Runs of a tiny BERT in a folder of their own.</summary>
internal sealed class BertRuns : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public BertRuns()
    {
        TinyBert.WriteModel(_folder.File("bert"));
        TinyBert.WriteTask(_folder.File("task"));
    }

    public string File(string name) => _folder.File(name);

    /// <summary>Runs to the end, in place of an earlier run; a last argument that is null goes with the option before it.</summary>
    public RunReport Run(params string?[] arguments)
    {
        string[] given = arguments is [.., null] ? [.. arguments[..^2].OfType<string>()] : [.. arguments.OfType<string>()];
        if (Directory.Exists(_folder.File("run")))
        {
            Directory.Delete(_folder.File("run"), recursive: true);
        }

        using var run = New([.. given, "--out", _folder.File("run")]);
        return run.Run();
    }

    public TrainingRun New(string[] arguments)
    {
        string[] defaults = [
            "--weights", _folder.File("bert"), "--data", _folder.File("task"), "--batch", "8", "--length", "16", "--epochs", "4", "--lr",
            "1e-3", "--device", "cpu", "--deploy", "false",
        ];
        var settings = CommandLine.Parse<Settings>(arguments, defaults);
        TorchSharp.torch.manual_seed(settings.Seed);
        return new TrainingRun(settings);
    }

    public void Dispose() => _folder.Dispose();
}
