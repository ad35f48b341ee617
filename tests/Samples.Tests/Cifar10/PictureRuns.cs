using System.Text.Json;
using Pdp.Samples.Cifar10;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>Runs of the sample on twenty pictures, in a folder of their own.</summary>
internal sealed class PictureRuns : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PictureRuns() => Pictures.Write(_folder.File("pictures"));

    /// <summary>The path of a file in the folder.</summary>
    public string File(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();

    /// <summary>Trains for four epochs into the folder <c>run</c>, and returns the report.</summary>
    public RunReport Run(params string[] arguments)
    {
        var settings = CommandLine.Parse<Settings>([
            "--data", File("pictures"), "--epochs", "4", "--batch", "10", "--test-every", "0", "--out", File("run"),
            .. arguments.Contains("--deploy") ? [] : (string[])["--deploy", "false"], .. arguments,
        ]);
        if (!settings.Resume && Directory.Exists(File("run")))
        {
            Directory.Delete(File("run"), recursive: true);
        }

        using (var run = new TrainingRun(settings))
        {
            run.Run();
        }

        return JsonSerializer.Deserialize<RunReport>(System.IO.File.ReadAllText(File("run/report.json")), Json.Options)!;
    }
}
