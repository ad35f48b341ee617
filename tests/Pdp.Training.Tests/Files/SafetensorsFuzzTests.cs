using Pdp.Samples.Tests;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Files;

public sealed class SafetensorsFuzzTests
{
    [Fact]
    public void Load_OfAnyBytes_SucceedsOrSaysWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var model = nn.Linear(4, 3);
        var path = folder.File("fuzzed.safetensors");
        Safetensors.Save(path, model.state_dict(), new Dictionary<string, string> { ["note"] = "text" });

        Fuzz.Run(File.ReadAllBytes(path), 1000, (bytes, file) =>
        {
            File.WriteAllBytes(path, bytes);
            var error = Record.Exception(() => Safetensors.LoadInto(model, path));
            Assert.True(error is null or InvalidDataException, $"File {file}: {error}");
        });
    }
}
