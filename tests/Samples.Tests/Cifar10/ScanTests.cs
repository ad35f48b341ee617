using System.Text.Json;
using System.Xml.Linq;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Cifar10.Scanning;
using Pdp.Training;

namespace Pdp.Samples.Tests.Cifar10;

/// <summary>The command <c>sensitivity</c> on twenty pictures.</summary>
public sealed class ScanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_OnTwentyPictures_WritesTableNumbersAndChart()
    {
        Pictures.Write(_folder.File("pictures"));
        using var model = new ResNet20();
        Safetensors.Save(_folder.File("weights.safetensors"), model.state_dict());

        var code = Scan.Run([
            "--data", _folder.File("pictures"), "--weights", _folder.File("weights.safetensors"), "--levels", "0.5,0.9", "--out",
            _folder.File("scan"),
        ]);

        var json = JsonDocument.Parse(File.ReadAllText(_folder.File("scan/sensitivity.json"))).RootElement;
        Assert.Equal(0, code);
        Assert.Equal(18, json.GetProperty("layers").GetArrayLength());
        Assert.Equal(1 + (18 * 2), File.ReadLines(_folder.File("scan/sensitivity.csv")).Count());
        string[] texts = [.. XDocument.Load(_folder.File("scan/sensitivity.svg"))
            .Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim())];
        Assert.Contains("50 % removed", texts);
        Assert.Contains("layer1.0.conv1", texts);
    }

    [Theory]
    [InlineData("sensitivity needs --weights")]
    [InlineData("Must be sparsities in (0, 1) with commas between them", "--levels", "0.5;0.9")]
    [InlineData("Must be sparsities in (0, 1) with commas between them", "--levels", "0.5,1")]
    public void Run_OfOptionsThatAreNone_SaysWhatIsWanted(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Scan.Run(arguments)).Message, StringComparison.Ordinal);
}
