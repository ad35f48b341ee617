using Pdp.Samples.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Checkpoints;

public sealed class TrainingStateTests : IDisposable
{
    private static readonly Dictionary<string, string> Texts = new() { ["epoch"] = "3", ["note"] = "\"sha256\":\"é" };
    private readonly TemporaryFolder _folder = new();
    private readonly Scene _trained = new(1);
    private readonly Scene _other = new(2);

    public TrainingStateTests()
    {
        _trained.Train(0, 5);
        _trained.State.Save(Path, Texts);
    }

    private string Path => _folder.File("state.safetensors");

    public void Dispose()
    {
        _trained.Dispose();
        _other.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_OfWhatWasSaved_GoesOnBitForBit()
    {
        _other.State.Load(Path);

        _trained.Train(5, 5);
        _other.Train(5, 5);

        Assert.Equal(_trained.Bytes(), _other.Bytes());
    }

    [Fact]
    public void Save_Always_WritesAnOrdinarySafetensorsFileWithItsHash()
    {
        using var scope = NewDisposeScope();
        var bytes = File.ReadAllBytes(Path);

        Assert.Equal(Texts, Safetensors.LoadMetadata(Path).Where(entry => entry.Key != "sha256").ToDictionary());
        Assert.Contains("model.fc.weight", Safetensors.Load(Path).Keys);
        Assert.Equal(bytes, Resealing.Resealed((byte[])bytes.Clone()));
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Load_WhenOneBitIsAnother_IsRefusedAndChangesNothing()
    {
        var (sound, before) = (File.ReadAllBytes(Path), _other.Bytes());
        for (var at = 0; at < sound.Length; at += 37)
        {
            var bytes = (byte[])sound.Clone();
            bytes[at] ^= 1;
            File.WriteAllBytes(Path, bytes);

            Assert.Contains(Path, Assert.Throws<InvalidDataException>(() => _other.State.Load(Path)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, _other.Bytes());
    }

    [Theory]
    [InlineData("model.fc.weight", "'fc.weight' is Float32 [3]")]
    [InlineData("model.more", "'more' is not in the model")]
    [InlineData("optimizer.fc.weight.exp_avg", "'fc.weight.exp_avg' is [3]")]
    [InlineData("optimizer.more", "no parameter has 'more'")]
    [InlineData("average.fc.weight", "'fc.weight'")]
    [InlineData("average.more", "'more'")]
    [InlineData("more", "has a tensor 'more'")]
    public void Load_WhenATensorDoesNotFit_NamesItAndChangesNothing(string name, string expected)
    {
        Change(tensors => tensors[name] = ones(3));

        AssertRefused(expected);
    }

    [Theory]
    [InlineData("model.fc.weight")]
    [InlineData("optimizer.fc.weight.exp_avg")]
    [InlineData("average.fc.weight")]
    public void Load_WhenANumberIsNotFinite_NamesItAndChangesNothing(string name)
    {
        Change(tensors => tensors[name] = full_like(tensors[name], float.NaN));

        AssertRefused($"'{name}' holds NaN or infinity");
    }

    [Fact]
    public void Load_WhenTheActionThrows_PutsTheWeightsBack()
    {
        var before = _other.Bytes();

        Assert.Throws<FormatException>(() => _other.State.Load(Path, () => throw new FormatException()));

        Assert.Equal(before, _other.Bytes());
    }

    [Fact]
    public void Load_WithAnAction_RunsItOnTheLoadedWeights()
    {
        var seen = Array.Empty<byte>();

        _other.State.Load(Path, () => seen = _other.Weight.bytes.ToArray());

        Assert.Equal(_trained.Weight.bytes.ToArray(), seen);
    }

    [Fact]
    public void Load_WhenThePartsAreOthers_SaysWhich()
    {
        var alone = new TrainingState { Model = _other.State.Model };

        Assert.Contains(
            "the state of an optimizer, but none is given",
            Assert.Throws<InvalidDataException>(() => alone.Load(Path)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "an average of weights, but none",
            Assert.Throws<InvalidDataException>(() => (alone with { Optimizer = _other.Optimizer }).Load(Path)).Message,
            StringComparison.Ordinal);
        alone.Save(Path, Texts);
        Assert.Contains(
            "learning_rate", Assert.Throws<InvalidDataException>(() => _other.State.Load(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfAnotherModel_SaysWhatDiffers()
    {
        using var wider = new Scene(3, width: 6);

        Assert.Contains(
            "'fc.weight' is Float32 [3, 4]",
            Assert.Throws<InvalidDataException>(() => wider.State.Load(Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void SaveAndLoad_WhenAnArgumentIsWrong_SaySo()
    {
        var before = File.ReadAllBytes(Path);
        Safetensors.Save(_folder.File("plain.safetensors"), _trained.State.Model.state_dict());

        Assert.Contains(
            "'sha256'",
            Assert.Throws<ArgumentException>(() => _trained.State.Save(Path, new Dictionary<string, string> { ["sha256"] = "" })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "'note' is null",
            Assert.Throws<ArgumentException>(() => _trained.State.Save(Path, new Dictionary<string, string> { ["note"] = null! })).Message,
            StringComparison.Ordinal);
        Assert.Contains("surrogate", Assert.Throws<ArgumentException>(() =>
            _trained.State.Save(Path, new Dictionary<string, string> { ["note"] = "\ud800" })).Message, StringComparison.Ordinal);
        Assert.Contains(
            "no SHA-256",
            Assert.Throws<InvalidDataException>(() => _trained.State.Load(_folder.File("plain.safetensors"))).Message,
            StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => _trained.State.Load(_folder.File("none")));
        Assert.Throws<ArgumentNullException>(() => new TrainingState { Model = null! });
        Assert.Throws<ArgumentNullException>(() => _trained.State.Save(Path, null!));
        Assert.Throws<ArgumentNullException>(() => _trained.State.Load(null!));
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Theory]
    [InlineData(float.NaN, "model.fc.weight")]
    [InlineData(float.NegativeInfinity, "model.fc.weight")]
    [InlineData(float.PositiveInfinity, "model.norm.running_var")]
    [InlineData(float.NaN, "model.norm.running_mean")]
    [InlineData(float.PositiveInfinity, "optimizer.fc.weight.exp_avg")]
    [InlineData(float.NaN, "average.fc.bias")]
    public void Save_WhenANumberIsNotFinite_NamesItAndWritesNothing(float wrong, string name)
    {
        var before = File.ReadAllBytes(Path);
        _trained.Poison(name, wrong);

        var error = Assert.Throws<InvalidOperationException>(() => _trained.State.Save(Path, Texts));

        Assert.Contains(
            $"'{name}' holds NaN or infinity, from which no run can continue: nothing is saved.", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path));
        Assert.Equal([Path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void SaveAndLoad_OfAModelWithACausalMask_KeepIt()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(2, 2);
        var mask = full(2, 2, float.NegativeInfinity).triu(1);
        model.register_buffer("mask", mask);
        var state = new TrainingState { Model = model };

        state.Save(Path, Texts);
        mask.zero_();
        state.Load(Path);

        Assert.Equal([0, float.NegativeInfinity, 0, 0], mask.data<float>().ToArray());
    }

    [Fact]
    public void SaveAndLoad_WhileTheAverageIsSwapped_AreRefused()
    {
        var before = File.ReadAllBytes(Path);
        _trained.Average.Swap();

        Assert.Contains(
            "Swap()",
            Assert.Throws<InvalidOperationException>(() => _trained.State.Save(Path, Texts)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Swap()", Assert.Throws<InvalidOperationException>(() => _trained.State.Load(Path)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Fact]
    public void SaveAndLoad_ManyTimes_LeaveNoTensorBehind() => Leaks.None(() =>
    {
        _trained.State.Save(Path, Texts);
        _trained.State.Load(Path);
    });

    private void Change(Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        var (texts, tensors) = (Safetensors.LoadMetadata(Path), Safetensors.Load(Path));
        change(tensors);
        Safetensors.Save(Path, tensors, texts);
        Resealing.Reseal(Path);
    }

    private void AssertRefused(string expected)
    {
        var before = _other.Bytes();

        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => _other.State.Load(Path)).Message, StringComparison.Ordinal);
        Assert.Equal(before, _other.Bytes());
    }
}
