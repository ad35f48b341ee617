using Pdp.Samples.Tests;

namespace Pdp.Training.Tests.Checkpoints;

public sealed class CheckpointFolderTests : IDisposable
{
    private static readonly Dictionary<string, string> Texts = [];
    private readonly TemporaryFolder _temporary = new();
    private readonly Scene _scene = new(1);
    private readonly CheckpointFolder _folder;

    public CheckpointFolderTests() => _folder = new CheckpointFolder(_temporary.File("run"), keepLast: 2);

    public void Dispose()
    {
        _scene.Dispose();
        _temporary.Dispose();
    }

    [Fact]
    public void Save_WhenThereAreMore_KeepsTheLastAndTheBest()
    {
        foreach (var (step, isBest) in new[] { (2L, false), (9, true), (10, false), (100, false) })
        {
            _scene.Train((int)step, 1);
            _folder.Save(step, _scene.State, new Dictionary<string, string> { ["step"] = $"{step}" }, isBest);
        }

        Assert.Equal(["best.safetensors", "step-0000000010.safetensors", "step-0000000100.safetensors"], Names());
        Assert.Equal("9", Safetensors.LoadMetadata(_folder.BestPath)["step"]);
        Assert.Equal("100", Safetensors.LoadMetadata(_folder.FindNewest()!)["step"]);
        _scene.State.Load(_folder.BestPath);
    }

    [Fact]
    public void Save_ByDefault_KeepsTheLastThree()
    {
        var folder = new CheckpointFolder(_temporary.File("run"));

        for (var step = 1; step <= 4; step++)
            folder.Save(step, _scene.State, Texts);

        Assert.Equal(["step-0000000002.safetensors", "step-0000000003.safetensors", "step-0000000004.safetensors"], Names());
    }

    [Fact]
    public void Save_BesideDamagedOnes_KeepsAsManyWholeOnes()
    {
        _folder.Save(1, _scene.State, Texts);
        _folder.Save(2, _scene.State, Texts);
        Damage(_folder.List()[1]);
        var folder = new CheckpointFolder(_temporary.File("run"), keepLast: 2);

        folder.Save(3, _scene.State, Texts);
        Assert.Equal(["step-0000000001.safetensors", "step-0000000002.safetensors", "step-0000000003.safetensors"], Names());

        folder.Save(4, _scene.State, Texts);
        Assert.Equal(["step-0000000003.safetensors", "step-0000000004.safetensors"], Names());
    }

    [Fact]
    public void FindNewest_WhenTheNewestAreDamaged_TakesTheNewestThatIsWholeAndSaysSo()
    {
        _folder.Save(1, _scene.State, Texts);
        _folder.Save(2, _scene.State, Texts);
        File.WriteAllText(_temporary.File("run/step-0000000003.safetensors"), "");
        Damage(_folder.List()[1]);
        var lines = new List<string>();

        Assert.EndsWith("step-0000000001.safetensors", _folder.FindNewest(lines.Add), StringComparison.Ordinal);

        Assert.Equal(2, lines.Count);
        Assert.Contains("step-0000000003.safetensors' has no SHA-256", lines[0], StringComparison.Ordinal);
        Assert.Contains("step-0000000002.safetensors' is damaged", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void FindNewest_WhenAllAreDamaged_IsAnError()
    {
        Assert.Null(_folder.FindNewest());
        Damage(_folder.Save(1, _scene.State, Texts));

        Assert.Contains("No checkpoint", Assert.Throws<InvalidDataException>(() => _folder.FindNewest()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_AfterGoingOnFromBeforeADamagedOne_ReplacesThat()
    {
        _folder.Save(1, _scene.State, Texts);
        Damage(_folder.Save(9, _scene.State, Texts));

        _folder.Save(2, _scene.State, Texts);

        Assert.Equal(["step-0000000001.safetensors", "step-0000000002.safetensors"], Names());
    }

    [Fact]
    public void Save_WhenThereIsALaterOne_IsAnErrorAndChangesNothing()
    {
        _folder.Save(9, _scene.State, Texts);

        var error = Assert.Throws<InvalidOperationException>(() => _folder.Save(8, _scene.State, Texts));
        _folder.Save(9, _scene.State, Texts);

        Assert.Contains("later step than 8", error.Message, StringComparison.Ordinal);
        Assert.Equal(["step-0000000009.safetensors"], Names());
    }

    [Fact]
    public void Save_WhenItCannotBeWritten_LosesNothing()
    {
        _folder.Save(1, _scene.State, Texts, isBest: true);
        Directory.CreateDirectory(_temporary.File("run/step-0000000002.safetensors.part"));

        var error = Assert.Throws<UnauthorizedAccessException>(() => _folder.Save(2, _scene.State, Texts));

        Assert.Contains("step-0000000002.safetensors.part", error.Message, StringComparison.Ordinal);
        Assert.Equal(["best.safetensors", "step-0000000001.safetensors"], Names());
        Assert.NotNull(_folder.FindNewest());
    }

    [Fact]
    public void Save_WhenOnlyOneOfItsFilesCanBeWritten_HasTheBestThatAStepSpeaksOf()
    {
        _folder.Save(1, _scene.State, Named("1"), isBest: true);
        Directory.CreateDirectory(_temporary.File("run/best.safetensors.part"));

        Assert.Throws<UnauthorizedAccessException>(() => _folder.Save(2, _scene.State, Named("2"), isBest: true));
        var newest = Safetensors.LoadMetadata(_folder.FindNewest()!)["best"];
        Directory.Delete(_temporary.File("run/best.safetensors.part"));
        Directory.CreateDirectory(_temporary.File("run/step-0000000002.safetensors.part"));
        Assert.Throws<UnauthorizedAccessException>(() => _folder.Save(2, _scene.State, Named("2"), isBest: true));

        Assert.Equal("1", newest);
        Assert.Equal("2", Safetensors.LoadMetadata(_folder.BestPath)["best"]);

        static Dictionary<string, string> Named(string step) => new() { ["best"] = step };
    }

    [Fact]
    public void Save_WhenAWeightIsNotFinite_KeepsAllThatWasThere()
    {
        _folder.Save(1, _scene.State, Texts);
        _folder.Save(2, _scene.State, Texts, isBest: true);
        Damage(_folder.Save(9, _scene.State, Texts));
        File.WriteAllText(_temporary.File("run/step-0000000007.safetensors.part"), "half");
        using var noGrad = TorchSharp.torch.no_grad();
        _scene.Weight.fill_(float.NaN);
        var before = Names().ToArray();

        var error = Assert.Throws<InvalidOperationException>(() => _folder.Save(3, _scene.State, Texts, isBest: true));

        Assert.Contains("'model.fc.weight' holds NaN or infinity", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Names());
        Assert.NotNull(_folder.FindNewest());
    }

    [Fact]
    public void Save_WhenAKilledProcessLeftHalfAFile_ClearsItAway()
    {
        Directory.CreateDirectory(_temporary.File("run"));
        foreach (var name in new[] { "step-0000000002.safetensors.part", "best.safetensors.part", "notes.part", "step-2.safetensors" })
            File.WriteAllText(_temporary.File($"run/{name}"), "half");

        Assert.Null(_folder.FindNewest());
        _folder.Save(3, _scene.State, Texts);

        Assert.Equal(["notes.part", "step-0000000003.safetensors", "step-2.safetensors"], Names());
    }

    [Fact]
    public void Folder_WhenAnArgumentIsWrong_SaysSo()
    {
        Assert.Throws<ArgumentNullException>("path", () => new CheckpointFolder(null!));
        Assert.Throws<ArgumentException>("path", () => new CheckpointFolder(""));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CheckpointFolder("x", 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _folder.Save(-1, _scene.State, Texts));
        Assert.Throws<ArgumentOutOfRangeException>(() => _folder.Save(10_000_000_000, _scene.State, Texts));
        Assert.Throws<ArgumentNullException>(() => _folder.Save(1, null!, Texts));
        Assert.Throws<ArgumentNullException>(() => _folder.Save(1, _scene.State, null!));
        Assert.Empty(_folder.List());
    }

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private IEnumerable<string?> Names() =>
        Directory.GetFiles(_temporary.File("run")).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
