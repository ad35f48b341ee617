using System.Diagnostics;
using Pdp.Samples.Comparison;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Transformers;

/// <summary>Trains a transformer through the epochs of a run, tests it, commits its zeros and saves the results.</summary>
/// <param name="settings">The settings.</param>
/// <param name="folder">Where results go.</param>
/// <param name="model">The model.</param>
/// <param name="pruner">Its pruner; null in a dense run.</param>
/// <param name="trainer">What trains it.</param>
/// <param name="metric">The number that it is tested by.</param>
/// <param name="score">Tests it, under a mask of a form where there is a pruner.</param>
internal sealed class TrainedModel(
    TransformerSettings settings, RunFolder folder, nn.Module model, PdpPruner? pruner, Trainer trainer, Metric metric,
    Func<PdpPruner?, MaskForm, double> score)
{
    private readonly List<EpochMetrics> _metrics = [];

    private TrainingState State => new() { Model = model, Optimizer = trainer.Optimizer };

    /// <summary>Trains and commits.</summary>
    /// <param name="untilEpoch">Stops before this epoch, as if the process had been killed; null to continue to the end.</param>
    public TrainingOutcome Train(int? untilEpoch)
    {
        Console.Write(pruner?.Plan());
        var (first, before, costs) = folder.Start(EpochMetrics.Header(metric), State, pruner);
        _metrics.AddRange(before);
        trainer.Costs.Begin(costs);
        Console.WriteLine(EpochMetrics.Header(metric));
        _metrics.ForEach(Console.WriteLine);
        for (var epoch = first; epoch < (untilEpoch ?? settings.Epochs); epoch++)
        {
            Epoch(epoch);
        }

        return Finish();
    }

    private void Epoch(int epoch)
    {
        var clock = Stopwatch.StartNew();
        var loss = trainer.Epoch(epoch);
        var seconds = clock.Elapsed.TotalSeconds;
        var isMeasured = settings.TestEvery > 0 && (epoch + 1) % settings.TestEvery == 0;
        double? soft = isMeasured ? score(pruner, MaskForm.Soft) : null;
        var folded = pruner is null || !isMeasured ? soft : score(pruner, MaskForm.Folded);
        _metrics.Add(new(epoch + 1, loss, soft, folded, pruner?.Sparsity ?? 0, seconds));
        Console.WriteLine(_metrics[^1]);
        folder.Keep(EpochMetrics.Header(metric), _metrics, State, pruner, trainer.Costs.SoFar);
    }

    private TrainingOutcome Finish()
    {
        var costs = trainer.Costs.SoFar;
        // Other methods' masks are hard.
        double? soft = settings.Method == PruningMethods.Pdp ? score(pruner, MaskForm.Soft) : null;
        var pruning = pruner?.Commit();
        Console.Write(pruning);
        return new()
        {
            Pruning = pruning,
            SoftScore = soft,
            SecondsPerEpoch = _metrics.Select(metrics => metrics.Seconds).DefaultIfEmpty().Average(),
            StepRatio = costs.Ratio(),
            PeakMemory = costs.PeakMemory,
            ExtraParameters = pruner?.Parameters.Sum(entry => entry.Parameter.numel()) ?? 0,
        };
    }
}
