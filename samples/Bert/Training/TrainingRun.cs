using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using Pdp.Samples.Comparison;
using Pdp.Samples.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Training;

/// <summary>One run: fine-tunes a BERT, dense or while pruning it, and writes metrics, report and weights.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Settings _settings;
    private readonly RunFolder _results;
    private readonly string _encoderFile;
    private readonly IReadOnlyList<string> _classes;
    private readonly BertClassifier _model;
    private readonly PdpPruner? _pruner;
    private readonly TextBatches _texts;
    private readonly Teacher? _teacher;
    private readonly Trainer _trainer;
    private readonly Evaluation[] _tests;

    /// <exception cref="ArgumentException">Settings don't go together, or a file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or belongs to another model.</exception>
    public TrainingRun(Settings settings)
    {
        _settings = settings;
        TransformerPruning.RequirePossible(settings);
        _results = new RunFolder(settings);
        var device = DeviceOption.Choose(settings.Device);
        var folder = new BertFolder(settings.Weights);
        _encoderFile = folder.WeightsFile;
        var (config, pieces) = folder.Load(settings.Length);
        var data = TaskData.Load(
            settings.Data ?? throw new ArgumentException($"--data needs the folder of a task. {Usage.Files}"),
            pieces, settings.Length, settings.Limit);
        if (config.TypeVocabSize < 2 && data.HasPairs)
        {
            throw new InvalidDataException(
                $"'{settings.Weights}' has a type_vocab_size of {config.TypeVocabSize}, but pairs of texts need two segments.");
        }

        _classes = data.Classes;
        _model = new BertClassifier(config, data.Classes.Count);
        PretrainedWeights.LoadInto(_model, settings.Start ?? _encoderFile, data.Classes);
        _model.to(device);
        _pruner = Pruning.Attach(settings, _model);
        _texts = new TextBatches(data.Training.Texts, data.Training.Labels, settings.Batch, config.PadTokenId, settings.Seed, device);
        _teacher = settings.Teacher is null ? null : new Teacher(settings, config, data.Classes, device);
        _trainer = new Trainer(settings, _model, _pruner, _texts.Count, Loss);
        _tests = [.. data.Tests.Select(test => new Evaluation(test, config, device))];
        var tested = data.Tests.Select(test => $"{test.Texts.Count} in {test.Name}");
        Console.WriteLine(
            $"{data.Training.Texts.Count} texts to train on, {string.Join(", ", tested)}; classes {string.Join(", ", data.Classes)}.");
    }

    /// <summary>Trains, commits and reports.</summary>
    /// <param name="untilEpoch">Stops before this epoch, as if the process had been killed; null to continue to the end.</param>
    public RunReport Run(int? untilEpoch = null)
    {
        var training = new TrainedModel(
            _settings, _results, _model, _pruner, _trainer, Metric.Accuracy, (pruner, form) => _tests[0].Accuracy(_model, pruner, form));
        var outcome = training.Train(untilEpoch);
        _results.Save(outcome.Pruning, SaveWeights);
        var accuracies = _tests.ToDictionary(test => test.Name, test => test.Accuracy(_model), StringComparer.Ordinal);
        var report = new RunReport
        {
            Method = _settings.Method,
            Strategy = _settings.Strategy,
            Sparsity = outcome.Sparsity,
            Accuracy = accuracies[_tests[0].Name],
            SoftAccuracy = outcome.SoftScore,
            Accuracies = accuracies,
            Epochs = _settings.Epochs,
            Seed = _settings.Seed,
            SecondsPerEpoch = outcome.SecondsPerEpoch,
            StepRatio = outcome.StepRatio,
            PeakMemory = outcome.PeakMemory,
            ExtraParameters = outcome.ExtraParameters,
            Settings = _settings.Fingerprint(),
            WeightsHash = FileHash.Of(_encoderFile),
            Version = LibraryVersion.Current,
            Machine = Machine.Of(_model.parameters().First().device),
            Latencies = _pruner is null || !_settings.Deploy ? [] : Latency.Of(_model, _tests[0]),
        };
        _results.Finish(report.ToJson());
        Console.WriteLine(report.ToJson());
        return report;
    }

    public void Dispose()
    {
        _pruner?.Dispose();
        _trainer.Dispose();
        _teacher?.Dispose();
        _model.Dispose();
    }

    private Tensor Loss(int epoch, int step)
    {
        var (batch, labels) = _texts.Shuffled(epoch, step);
        var answers = _model.call(batch);
        var task = nn.functional.cross_entropy(answers, labels);
        return _teacher is null ? task : _teacher.Loss(batch, answers, task);
    }

    private void SaveWeights(string path) => PretrainedWeights.Save(_model, path, _classes);
}
