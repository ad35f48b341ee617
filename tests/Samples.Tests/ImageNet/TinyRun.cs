using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Samples.ImageNet.Training;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>A run as the sample makes it, with everything that has state, of a network that takes milliseconds.</summary>
internal sealed class TinyRun : IDisposable
{
    public const int Pictures = 48;
    private readonly TinyNet _model;
    private readonly ICollective _ranks;

    /// <param name="settings">The settings.</param>
    /// <param name="folder">Where checkpoints go.</param>
    /// <param name="weights">The seed of the first weights.</param>
    /// <param name="wrap">What stands between the pictures and the trainer.</param>
    /// <param name="ranks">The ranks; the run is alone by default.</param>
    /// <param name="stop">Ends the run.</param>
    public TinyRun(Settings settings, string? folder = null,
        int weights = 0, Func<IPictureBatches, IPictureBatches>? wrap = null, ICollective? ranks = null, CancellationToken stop = default)
    {
        _ranks = ranks ?? SingleRank.Instance;
        manual_seed(weights).Dispose();
        Settings = settings;
        _model = new TinyNet(settings.Classes);
        Learner = new Learner(
            _model,
            new FusedSgd(
                ParameterGroup.DecayWeightsOnly(_model.named_parameters(), settings.WeightDecay),
                new SgdOptions { LearningRate = settings.Lr, Momentum = settings.Momentum, IsNesterov = settings.Nesterov }),
            settings.Ema is { } decay ? new WeightAverage(_model, decay) : null,
            Pruning.Attach(settings, _model));
        Training = Batches(isTraining: true);
        Validation = Batches(isTraining: false);
        Team = new Team(_ranks, Learner);
        Trainer = new Trainer(settings, Learner, wrap is null ? Training : wrap(Training), Team);
        Session = new Session(settings, Learner, Trainer, Team, new PlainDisplay(Lines, TimeSpan.Zero), stop)
        {
            Folder = folder is null ? null : new CheckpointFolder(folder, settings.KeepLast),
        };
    }

    public static Settings Default { get; } = new()
    {
        Classes = 4,
        Epochs = 4,
        Batch = 8,
        Accumulate = 2,
        Side = 32,
        Lr = 0.1,
        LrWarmup = 1,
        Nesterov = true,
        LabelSmoothing = 0.1,
        Ema = 0.9,
        Method = "pdp",
        Sparsity = 0.5,
        DenseEpochs = 1,
        RampEnd = 2,
        CheckpointSteps = 2,
    };

    public Settings Settings { get; }

    public Learner Learner { get; }

    public IPictureBatches Training { get; }

    public IPictureBatches Validation { get; }

    public Team Team { get; }

    public Trainer Trainer { get; }

    public Session Session { get; }

    public StringWriter Lines { get; } = new();

    /// <summary>Continues from the newest checkpoint to the end.</summary>
    public Progress Train()
    {
        var run = Session.Start();
        while (run.Epoch < Settings.Epochs)
        {
            run = Session.EndEpoch(Session.TrainEpoch(run), Validation);
        }

        return run;
    }

    /// <summary>Every bit that the run has changed.</summary>
    public SortedDictionary<string, string> State()
    {
        using var scope = NewDisposeScope();
        var tensors = _model.state_dict()
            .Concat(Learner.Optimizer.GetState()).Select((entry, i) => KeyValuePair.Create($"{i} {entry.Key}", entry.Value))
            .Concat((Learner.Average?.GetState() ?? new Dictionary<string, Tensor>()).Select(
                entry => KeyValuePair.Create($"average {entry.Key}", entry.Value)));
        var state = tensors.ToDictionary(entry => entry.Key, entry => Convert.ToHexString(entry.Value.bytes));
        return new(state) { ["pruner"] = Learner.Pruner?.GetState().ToJson() ?? "" };
    }

    public void Dispose()
    {
        Trainer.Dispose();
        Team.Dispose();
        Training.Dispose();
        Validation.Dispose();
        Learner.Pruner?.Dispose();
        Learner.Average?.Dispose();
        Learner.Optimizer.Dispose();
        _model.Dispose();
        Lines.Dispose();
    }

    private SyntheticBatches Batches(bool isTraining) =>
        new(
        Pictures, Settings.Classes, Settings.PartOn(_ranks.Size), Settings.Side, Settings.Seed, isTraining, new Share(
            _ranks.Rank, _ranks.Size));
}
