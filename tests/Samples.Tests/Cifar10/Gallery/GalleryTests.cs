using System.Text.Json;
using System.Xml.Linq;
using Pdp.Samples.Cifar10.Gallery;
using Pdp.Samples.Drawing;
using Pdp.Samples.Reports;

namespace Pdp.Samples.Tests.Cifar10.Gallery;

public sealed class GalleryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>If this fails, the table has changed: draw the picture anew by the command in samples/Cifar10/README.md.</summary>
    [Fact]
    public void AccuracyPicture_OfTheComparisonsPage_IsTheOneThatIsCheckedIn()
    {
        var folder = Path.Combine(Root, "samples", "Cifar10");

        var picture = AccuracyPicture.Of(File.ReadAllText(Path.Combine(folder, "COMPARISON.md"))).ToFile();

        Assert.Equal(File.ReadAllText(Path.Combine(folder, "pictures", "accuracy.svg")), picture);
    }

    [Fact]
    public void AccuracyPicture_OfACellThatMissedItsSparsity_StandsAtTheOneItReached()
    {
        const string page = "| top-1, % | 80 % | 90 % | 95 % |\n|---|---|---|---|\n| str | 79.53 ± 0.09 | 76.50 ± 0.15 (89.0 % †) | – "
            + "|\n| dense | 83.98 ± 0.21 | | |\n";

        var line = Assert.IsType<Line>(AccuracyPicture.Of(page).Marks[0]);

        Assert.Equal([new Point(80, 79.53), new Point(89, 76.5)], line.Points);
    }

    [Fact]
    public void Run_WithARun_DrawsFourPicturesOfUnderAHundredKilobytes()
    {
        var run = Directory.CreateDirectory(_folder.File("run")).FullName;
        WeightSnapshot[] history = [.. Enumerable.Range(1, 8).Select(
            epoch => new WeightSnapshot("layer", epoch, 0.5, [1, 5, 5, 1], epoch == 1 ? null : 0.2, epoch == 1 ? null : 0.04 / epoch))];
        File.WriteAllText(Path.Combine(run, "history.json"), JsonSerializer.Serialize(history, Json.Options));
        File.WriteAllText(
            Path.Combine(run, "layers.csv"), "layer,strategy,weights,removed,zeros,sparsity\nlayer,unstructured,10,8,8,0.8\n");

        Draw.Run(["--run", run, "--repository", Root, "--out", _folder.File("pictures")]);

        var pictures = Directory.GetFiles(_folder.File("pictures"));
        Assert.Equal(["accuracy.svg", "cost.svg", "layers.svg", "masks.svg"], pictures.Select(Path.GetFileName).Order());
        Assert.All(pictures, picture => Assert.InRange(new FileInfo(picture).Length, 1, 100_000));
        Assert.All(pictures, picture => Assert.Equal("svg", XDocument.Load(picture).Root!.Name.LocalName));
    }

    [Fact]
    public void Run_WhenTheFolderHasNoRun_SaysWhatToGive()
    {
        var error = Assert.Throws<InvalidDataException>(() => MaskPicture.Of(_folder.Path));

        Assert.Contains("give --run the folder of a finished run", error.Message, StringComparison.Ordinal);
    }

    private static string Root => new[] { AppContext.BaseDirectory }
        .Concat(Enumerable.Range(1, 8).Select(up => Path.Combine([AppContext.BaseDirectory, .. Enumerable.Repeat("..", up)])))
        .First(folder => File.Exists(Path.Combine(folder, "Pdp.sln")));
}
