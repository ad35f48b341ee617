using System.Text.Json;
using System.Xml.Linq;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Cifar10.Scanning;
using Pdp.Training;
using SkiaSharp;
using TorchSharp;

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

    [Fact]
    public void Run_OfANarrowNetworkOnSmallPictures_MeasuresTheLastTrainingPictures()
    {
        Pictures.Write(_folder.File("pictures"));
        foreach (var (label, name) in Cifar10Classes.Names.Index())
        {
            File.WriteAllBytes(_folder.File($"pictures/train/{name}/1.png"), Corner(isWhite: label == 1));
        }

        using var model = SeesTheCorner();
        Safetensors.Save(_folder.File("weights.safetensors"), model.state_dict());

        Assert.Equal(0.1, Dense("--width", "4"));
        Assert.Equal(0.2, Dense("--width", "4", "--side", "8"));
        Assert.Contains("conv1.weight", Assert.ThrowsAny<Exception>(() => Dense()).Message, StringComparison.Ordinal);

        double Dense(params string[] more)
        {
            Scan.Run([
                "--data", _folder.File("pictures"), "--weights", _folder.File("weights.safetensors"), "--levels", "0.5", "--limit", "1",
                "--out", _folder.File("scan"), .. more,
            ]);
            return JsonDocument.Parse(File.ReadAllText(_folder.File("scan/sensitivity.json"))).RootElement.GetProperty("dense").GetDouble();
        }
    }

    [Theory]
    [InlineData("--side 12: Must be 4, 8, 16 or 32", "--side", "12")]
    [InlineData("sensitivity needs --weights")]
    [InlineData("Must be sparsities in (0, 1) with commas between them", "--levels", "0.5;0.9")]
    [InlineData("Must be sparsities in (0, 1) with commas between them", "--levels", "0.5,1")]
    public void Run_OfOptionsThatAreNone_SaysWhatIsWanted(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Scan.Run(arguments)).Message, StringComparison.Ordinal);

    /// <summary>A black picture whose first 4×4 pixels may be white, except the very first.</summary>
    private static byte[] Corner(bool isWhite)
    {
        using var bitmap = new SKBitmap(ImageSet.Side, ImageSet.Side);
        bitmap.Erase(SKColors.Black);
        for (var place = 1; isWhite && place < 16; place++)
        {
            bitmap.SetPixel(place % 4, place / 4, SKColors.White);
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    /// <summary>Says class 1 where the red of every fourth pixel is above average, as that of the corner is once it is shrunk.</summary>
    private static ResNet20 SeesTheCorner()
    {
        var model = new ResNet20(width: 4);
        using var _ = torch.no_grad();
        foreach (var (name, parameter) in model.named_parameters().Where(pair => !pair.name.Contains("bn", StringComparison.Ordinal)))
        {
            parameter.zero_();
        }

        var weights = model.state_dict();
        weights["conv1.weight"][0, 0, 1, 1] = 1;
        weights["linear.weight"][1, 6] = 1000;
        weights["linear.bias"][0] = 0.001;
        return model;
    }
}
