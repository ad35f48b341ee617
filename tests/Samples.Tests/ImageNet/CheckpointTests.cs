using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using TorchSharp;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyRun _run = new(TinyRun.Default);

    private string Path => _folder.File("kept.safetensors");

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_WhenSaved_GivesTheSameProgress()
    {
        var trained = _run.Train() with { Step = 3, LossSum = 1 / 3.0, Seconds = 0.1 };
        Save(trained);

        var loaded = Checkpoint.Load(Path, _run.Learner, _run.Settings);

        Assert.Equal(trained with { History = loaded.History }, loaded);
        Assert.Equal(trained.History, loaded.History);
        Assert.Equal(4, loaded.History.Count);
    }

    [Theory]
    [InlineData("--seed was 0, is 5", "--seed", "5")]
    [InlineData("--epsilon was not set, is 0.5", "--epsilon", "0.5")]
    [InlineData("--model was resnet18, is resnet50", "--model", "resnet50")]
    [InlineData("--strategy was unstructured, is 2:4", "--strategy", "2:4")]
    public void Load_WhenSettingsDiffer_NamesThemAndChangesNothing(string expected, params string[] arguments)
    {
        Save(Progress.Start);
        var other = CommandLine.Parse<Settings>(arguments, CommandLine.Echo(_run.Settings).Split(' '));
        using var another = new TinyRun(TinyRun.Default, weights: 1);
        var before = another.State();

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, another.Learner, other));

        Assert.Contains($"made with other settings: {expected}. Give", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, another.State());
    }

    [Fact]
    public void Load_WhenNetworkIsAnother_NamesWhatDoesNotFit()
    {
        Save(Progress.Start);
        using var another = new TinyRun(_run.Settings with { Classes = 7 });

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, another.Learner, _run.Settings));

        Assert.Contains("'fc.weight' is Float32 [4, 8] where the model has Float32 [7, 8]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("epoch", "-1")]
    [InlineData("epoch", "5")]
    [InlineData("epoch", "one")]
    [InlineData("epoch", "0")]
    [InlineData("step", "7")]
    [InlineData("step", "1e3")]
    [InlineData("loss_sum", "NaN")]
    [InlineData("seconds", "Infinity")]
    [InlineData("history", "null")]
    [InlineData("history", "[null]")]
    [InlineData("history", "[]")]
    [InlineData("history", "{}")]
    [InlineData("history", "[{\"Epoch\":\"NaN\"}]")]
    [InlineData("settings", "null")]
    [InlineData("settings", "[]")]
    [InlineData("settings", "{\"--seed\":{}}")]
    [InlineData("pruner", "null")]
    [InlineData("pruner", "{}")]
    [InlineData("pruner", "[[[[")]
    public void Load_WhenTheHeaderIsDamaged_NamesFileAndPlaceAndChangesNothing(string name, string text)
    {
        Save(TrainedOneEpoch(), header => header[name] = text);

        AssertRefused($"'{Path}' is damaged: ", name);
    }

    // What the pruner's state says can be readable, and still be wrong for these weights.
    [Fact]
    public void Load_WhenThePrunerRefusesItsState_PutsTheWeightsBack()
    {
        using var sparser = new TinyRun(TinyRun.Default with { Sparsity = 0.75 });
        Save(TrainedOneEpoch(), header => header["pruner"] = sparser.Learner.Pruner!.GetState().ToJson());

        AssertRefused($"The pruner can't continue from '{Path}'");
    }

    [Theory]
    [InlineData("optimizer.fc.weight.momentum_buffer", 3)]
    [InlineData("average.fc.weight", 3)]
    [InlineData("model.fc.weight", 3)]
    [InlineData("optimizer.other", 3)]
    [InlineData("other", 3)]
    public void Load_WhenATensorDoesNotFit_NamesItAndChangesNothing(string name, long size)
    {
        Save(TrainedOneEpoch(), _ => { }, tensors => tensors[name] = torch.ones(size));

        AssertRefused(name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]);
    }

    [Theory]
    [InlineData("model.fc.weight")]
    [InlineData("optimizer.fc.weight.momentum_buffer")]
    [InlineData("average.fc.weight")]
    public void Load_WhenANumberIsNotFinite_NamesItsTensorAndChangesNothing(string name)
    {
        Save(TrainedOneEpoch(), _ => { }, tensors => tensors[name] = torch.full_like(tensors[name], float.NaN));

        AssertRefused($"'{name}' holds NaN or infinity");
    }

    // Damage that the hash does not show is an error that says so and changes nothing, or goes unnoticed where a number is another one.
    [Fact]
    public void Load_OfDamagedFiles_ChangesNothingOrAll()
    {
        Save(TrainedOneEpoch(), _ => { });
        var (whole, random) = (File.ReadAllBytes(Path), new Random(5));
        using var other = new TinyRun(TinyRun.Default, weights: 1);
        var (before, refused) = (other.State(), 0);
        for (var trial = 0; trial < 60; trial++)
        {
            var bytes = whole[..(trial % 5 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (var i = 0; i <= random.Next(4) && bytes.Length > 0; i++)
            {
                // The header, or anything.
                bytes[random.Next(trial % 2 == 0 ? Math.Min(bytes.Length, 6000) : bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(Path, Resealing.Resealed(bytes));
            if (Record.Exception(() => Checkpoint.Load(Path, other.Learner, other.Settings, 6)) is { } error)
            {
                Assert.IsType<InvalidDataException>(error);
                Assert.Contains(Path, error.Message, StringComparison.Ordinal);
                Assert.Equal(before, other.State());
                refused++;
            }
            else
            {
                before = other.State();
            }
        }

        Assert.InRange(refused, 1, 59);
    }

    [Fact]
    public void Load_WhenFileHoldsWeightsAlone_SaysSo()
    {
        Safetensors.Save(Path, _run.Learner.Model.state_dict());

        Assert.False(Checkpoint.Is(Path));
        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _run.Learner, _run.Settings));

        Assert.Contains("it is not a checkpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenFileIsCutShort_SaysSo()
    {
        Save(Progress.Start);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^100]);

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, _run.Learner, _run.Settings));

        Assert.Contains($"'{Path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    private Progress TrainedOneEpoch() => _run.Session.EndEpoch(_run.Session.TrainEpoch(Progress.Start), _run.Validation);

    private void Save(Progress progress) => _run.Learner.State.Save(Path, Checkpoint.Texts(_run.Learner, progress, _run.Settings));

    private void Save(
        Progress progress, Action<Dictionary<string, string>> changeHeader, Action<Dictionary<string, torch.Tensor>>? changeTensors = null)
    {
        using var scope = torch.NewDisposeScope();
        Save(progress);
        var (header, tensors) = (Safetensors.LoadMetadata(Path).ToDictionary(), Safetensors.Load(Path));
        changeHeader(header);
        changeTensors?.Invoke(tensors);
        Safetensors.Save(Path, tensors, header);
        Resealing.Reseal(Path);
    }

    private void AssertRefused(params string[] expected)
    {
        using var other = new TinyRun(TinyRun.Default, weights: 1);
        var before = other.State();

        var error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(Path, other.Learner, other.Settings, 6));

        Assert.All(expected, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Equal(before, other.State());
    }
}
