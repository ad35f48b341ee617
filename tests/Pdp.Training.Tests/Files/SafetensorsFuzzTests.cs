using Pdp.Samples.Tests;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

public sealed class SafetensorsFuzzTests
{
    [Fact]
    public void Load_OfAnyBytes_SucceedsOrSaysWhatIsWrongAndChangesNothing()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        manual_seed(7);
        using var model = nn.Linear(4, 3);
        var path = folder.File("fuzzed.safetensors");
        Safetensors.Save(path, model.state_dict(), new Dictionary<string, string> { ["note"] = "text" });
        var (before, refused) = (Numbers(), 0);

        var files = Fuzz.Run(File.ReadAllBytes(path), 1000, (bytes, file) =>
        {
            File.WriteAllBytes(path, bytes);
            var error = Record.Exception(() => Safetensors.LoadInto(model, path));
            Assert.True(error is null or InvalidDataException, $"File {file}: {error}");
            var after = Numbers();
            Assert.True(error is null || before == after, $"File {file} was loaded in part.");
            before = after;
            refused += error is null ? 0 : 1;
        });

        Assert.InRange(refused, files / 2, files - 1);

        string Numbers() => string.Join(" ", model.state_dict().Select(entry => Convert.ToHexString(entry.Value.bytes)));
    }
}
