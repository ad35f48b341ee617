using System.Text.Json;
using Pdp.Samples.Cifar10;
using TorchSharp;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Runs of the sample on twenty pictures, in a folder of their own.</summary>
internal sealed class PictureRuns : IDisposable
{
    /// <summary>No run's own, so that what a resumed run ends with can't come from fresh weights.</summary>
    private const int ResumedSeed = 99;

    private readonly TemporaryFolder _folder = new();

    public PictureRuns() => Pictures.Write(_folder.File("pictures"));

    /// <summary>The path of a file in the folder.</summary>
    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();

    /// <summary>Trains for four epochs, on pictures of 8 pixels, into the folder <c>run</c>, and returns the report.</summary>
    public RunReport Run(params string[] arguments)
    {
        string[] defaults = [
            "--data", File("pictures"), "--side", "8", "--epochs", "4", "--batch", "10", "--test-every", "0", "--deploy", "false",
            "--device", "cpu", "--out", File("run"),
        ];
        var settings = CommandLine.Parse<Settings>(arguments, defaults);
        if (!settings.Resume && Directory.Exists(File("run")))
        {
            Directory.Delete(File("run"), recursive: true);
        }

        // As the program does.
        torch.manual_seed(settings.Resume ? ResumedSeed : settings.Seed);
        using (var run = new TrainingRun(settings))
        {
            run.Run();
        }

        return JsonSerializer.Deserialize<RunReport>(System.IO.File.ReadAllText(File("run/report.json")), Json.Options)!;
    }
}
