using Pdp.Samples.Comparison;
using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;
using Pdp.Samples.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Gpt.Training;

/// <summary>One run: trains a GPT-2, dense or while pruning it, and writes metrics, report, weights and some text.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Settings _settings;
    private readonly RunFolder _results;
    private readonly TokenData _data;
    private readonly string? _weightsFile;
    private readonly GptModel _model;
    private readonly PdpPruner? _pruner;
    private readonly Windows _windows;
    private readonly Trainer _trainer;
    private readonly SlidingPerplexity[] _tests;
    private readonly Writing _writing;

    /// <exception cref="ArgumentException">Settings don't go together, or a file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or belongs to another model.</exception>
    public TrainingRun(Settings settings)
    {
        _settings = settings;
        TransformerPruning.RequirePossible(settings);
        var device = DeviceOption.Choose(settings.Device);
        _data = TokenData.Load(
            settings.Data ?? throw new ArgumentException("--data needs a text file, or a folder with some; --help says which."),
            settings.Tokens ?? (settings.Weights is null ? TokenData.Characters : TokenData.BytePairs), settings.Limit);
        _results = new RunFolder(settings with { Vocabulary = _data.Vocabulary.Description });
        _windows = new Windows(_data.Training, settings.Length, settings.Batch, settings.Seed, device);
        var stride = settings.Stride ?? Math.Max(1, settings.Length / 2);
        _tests = [.. _data.Tests.Select(test => new SlidingPerplexity(test, settings.Length, stride))];
        (var config, _weightsFile) = Sizes(settings, _data.Vocabulary);
        _model = new GptModel(config);
        if ((settings.Start ?? _weightsFile) is { } start)
        {
            GptWeights.LoadInto(_model, start, _data.Vocabulary);
        }

        _model.to(device);
        _writing = new Writing(settings, _data, config, settings.Dense ?? settings.Start ?? _weightsFile);
        _pruner = TransformerPruning.Attach(settings, _model, exclude: []);
        _trainer = new Trainer(settings, _model, _pruner, _windows.Count, Loss);
        Console.WriteLine(
            $"{_data.Vocabulary.Description}; {_data.Training.Tokens.Length} tokens to train on, "
            + string.Join(", ", _data.Tests.Select(test => $"{test.Tokens.Length} in {test.Name}")) + ".");
    }

    /// <summary>Trains, commits and reports.</summary>
    /// <param name="untilEpoch">Stops before this epoch, as if the process had been killed; null to continue to the end.</param>
    public RunReport Run(int? untilEpoch = null)
    {
        var training = new TrainedModel(
            _settings, _results, _model, _pruner, _trainer, Metric.Perplexity, (pruner, form) => _tests[0].Of(_model, pruner, form));
        var outcome = training.Train(untilEpoch);
        _results.Save(outcome.Pruning, path => GptWeights.Save(_model, path, _data.Vocabulary));
        if (_pruner is not null)
        {
            Console.WriteLine($"The output layer is the embedding, one matrix of {_model.TiedWeights} weights; it stays dense.");
        }

        var perplexities = _tests.ToDictionary(test => test.Name, test => test.Of(_model), StringComparer.Ordinal);
        var report = new RunReport
        {
            Method = _settings.Method,
            Strategy = _settings.Strategy,
            Sparsity = outcome.Sparsity,
            Perplexity = perplexities[_tests[0].Name],
            SoftPerplexity = outcome.SoftScore,
            Perplexities = perplexities,
            Tokens = _data.Vocabulary.Description,
            Weights = _model.parameters().Sum(weight => weight.numel()),
            Text = _writing.Show(_model),
            Epochs = _settings.Epochs,
            Seed = _settings.Seed,
            SecondsPerEpoch = outcome.SecondsPerEpoch,
            StepRatio = outcome.StepRatio,
            PeakMemory = outcome.PeakMemory,
            ExtraParameters = outcome.ExtraParameters,
            Settings = _settings.Fingerprint(),
            WeightsHash = FileHash.Of(_weightsFile),
            Version = LibraryVersion.Current,
            Machine = Machine.Of(_model.parameters().First().device),
        };
        _results.Finish(report.ToJson());
        Console.WriteLine(report.ToJson());
        return report;
    }

    public void Dispose()
    {
        _pruner?.Dispose();
        _trainer.Dispose();
        _model.Dispose();
    }

    // The sizes of a preset, or those of given weights with their file.
    private static (GptConfig Config, string? WeightsFile) Sizes(Settings settings, IVocabulary vocabulary)
    {
        if (settings is { Weights: not null, Preset: not null })
        {
            throw new ArgumentException("Give either --preset or --weights, not both.");
        }

        var folder = settings.Weights is { } path ? new GptFolder(path) : null;
        var config = folder?.Load(vocabulary.Size, settings.Length)
            ?? GptConfig.Preset(settings.Preset ?? Settings.Tiny, vocabulary.Size, settings.Length);
        var dropped = settings.Dropout is { } share ? config with { EmbdPdrop = share, ResidPdrop = share, AttnPdrop = share } : config;
        return (dropped, folder?.WeightsFile);
    }

    private Tensor Loss(int epoch, int step)
    {
        var (tokens, next) = _windows.Shuffled(epoch, step);
        return nn.functional.cross_entropy(_model.call(tokens).flatten(0, 1), next.flatten());
    }
}
