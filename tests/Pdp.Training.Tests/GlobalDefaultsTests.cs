using Pdp.Samples.Tests;
using Pdp.Training.Tests.Checkpoints;
using static Pdp.Training.Tests.Distributed.RankModels;
using static TorchSharp.torch;

namespace Pdp.Training.Tests;

/// <summary>The types and devices are those of the model, whatever torch makes new tensors of.</summary>
public sealed class GlobalDefaultsTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Theory]
    [InlineData(ScalarType.Float64, "cpu")]
    [InlineData(ScalarType.BFloat16, "cpu")]
    [InlineData(ScalarType.Float32, "meta")]
    public void ACheckpoint_UnderOtherDefaults_IsTheSame(ScalarType type, string device)
    {
        using Scene whole = new(1), resumed = new(2);
        whole.Train(0, 3);
        var texts = new Dictionary<string, string> { ["short"] = "a", ["long"] = new('b', 1_000_001) };

        Under(type, device, () =>
        {
            whole.State.Save(_temporary.File("state"), texts);
            resumed.State.Load(_temporary.File("state"));
            Assert.Equal(texts["long"], TrainingState.LoadTexts(_temporary.File("state"))["long"]);
        });

        Assert.Equal(whole.Bytes(), resumed.Bytes());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, "cpu")]
    [InlineData(ScalarType.Float32, "meta")]
    public void Step_UnderOtherDefaults_IsTheSame(ScalarType type, string device)
    {
        using Scene expected = new(1), scene = new(1);
        foreach (var each in (Scene[])[expected, scene])
            each.Train(0, 1);
        expected.Optimizer.step();

        Under(type, device, () => scene.Optimizer.step());

        Assert.Equal(expected.Bytes(), scene.Bytes());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, "cpu")]
    [InlineData(ScalarType.Float32, "meta")]
    public void Ranks_UnderOtherDefaults_AverageTheSame(ScalarType type, string device)
    {
        var answers = new (IReadOnlyList<string> Texts, bool IsAny)[2];
        var models = OnEach(2, (model, collective) =>
        {
            SetGradients(model, collective.Rank + 1);
            return null;
        });
        try
        {
            Under(type, device, () => ThreadRanks.Run(2, collective =>
            {
                using var parallel = new DataParallel(models[collective.Rank], collective);
                parallel.AverageGradients();
                answers[collective.Rank] = (collective.Gather($"rank {collective.Rank}"), collective.Any(collective.Rank == 1));
                Agreement.Require(
                    collective, models[collective.Rank].named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)));
            }));

            Assert.All(answers, answer => Assert.Equal(["rank 0", "rank 1"], answer.Texts));
            Assert.All(answers, answer => Assert.True(answer.IsAny));
            Assert.All(models.SelectMany(model => model.parameters()), parameter => Assert.All(
                Values(parameter.grad!), value => Assert.Equal(1.5f, value)));
        }
        finally
        {
            Array.ForEach(models, model => model.Dispose());
        }
    }

    private static void Under(ScalarType type, string device, Action action)
    {
        var (dtype, place) = (get_default_dtype(), get_default_device());
        set_default_dtype(type);
        set_default_device(new Device(device));
        try
        {
            action();
        }
        finally
        {
            set_default_dtype(dtype);
            set_default_device(place);
        }
    }
}
