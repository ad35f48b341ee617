using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Training;

/// <summary>One run: fine-tunes a BERT, dense or while pruning it, and writes metrics, report and weights.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Settings _settings;
    private readonly BertClassifier _model;
    private readonly PdpPruner? _pruner;
    private readonly Trainer _trainer;
    private readonly Evaluation[] _tests;
    private readonly List<EpochMetrics> _metrics = [];

    /// <exception cref="ArgumentException">Settings don't go together, or a file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or belongs to another model.</exception>
    public TrainingRun(Settings settings)
    {
        _settings = settings;
        Pruning.RequirePossible(settings);
        RequireFolder();
        var folder = new BertFolder(settings.Weights);
        var (config, pieces) = folder.Load(settings.Length);
        var data = TaskData.Load(
            settings.Data ?? throw new ArgumentException($"--data needs the folder of a task. {Usage.Files}"),
            pieces, settings.Length, settings.Limit);
        _model = new BertClassifier(config, data.Classes.Count);
        PretrainedWeights.LoadInto(_model, settings.Start ?? folder.WeightsFile);
        _pruner = Pruning.Attach(settings, _model);
        var texts = new TextBatches(data.Training.Texts, data.Training.Labels, settings.Batch, config.PadTokenId, settings.Seed);
        var teacher = settings.Teacher is null ? null : new Teacher(settings, config, data.Classes.Count);
        _trainer = new Trainer(settings, _model, _pruner, texts, teacher);
        _tests = [.. data.Tests.Select(test => new Evaluation(test, config))];
        var tested = data.Tests.Select(test => $"{test.Texts.Count} in {test.Name}");
        Console.WriteLine(
            $"{data.Training.Texts.Count} texts to train on, {string.Join(", ", tested)}; classes {string.Join(", ", data.Classes)}.");
    }

    /// <summary>Trains, commits and reports.</summary>
    /// <param name="untilEpoch">Stops before this epoch, as if the process had been killed; null to go on to the end.</param>
    public RunReport Run(int? untilEpoch = null)
    {
        Console.Write(_pruner?.Plan());
        var first = Start();
        PeakMemory.Reset();
        Console.WriteLine(EpochMetrics.Header);
        _metrics.ForEach(Console.WriteLine);
        for (var epoch = first; epoch < (untilEpoch ?? _settings.Epochs); epoch++)
        {
            var clock = Stopwatch.StartNew();
            var loss = _trainer.Epoch(epoch);
            var seconds = clock.Elapsed.TotalSeconds;
            var isMeasured = _settings.TestEvery > 0 && (epoch + 1) % _settings.TestEvery == 0;
            double? accuracy = isMeasured ? _tests[0].Accuracy(_model, _pruner) : null;
            var folded = _pruner is null || !isMeasured ? accuracy : _tests[0].Accuracy(_model, _pruner, MaskForm.Folded);
            _metrics.Add(new(epoch + 1, loss, accuracy, folded, _pruner?.Sparsity ?? 0, seconds));
            Console.WriteLine(_metrics[^1]);
            Keep(epoch + 1);
        }

        return Finish();
    }

    public void Dispose()
    {
        _pruner?.Dispose();
        _trainer.Dispose();
        _model.Dispose();
    }

    private bool IsResumable => _settings.Method is Methods.Dense or Methods.Pdp;

    private CheckpointFolder Checkpoints => new(Path.Combine(_settings.Out!, "checkpoints"), keepLast: 1);

    private TrainingState State => new() { Model = _model, Optimizer = _trainer.Optimizer };

    // A run that is there already is continued, never overwritten.
    private void RequireFolder()
    {
        if (_settings.Resume && _settings.Out is null)
        {
            throw new ArgumentException("--resume needs --out, the folder of the run to continue.");
        }

        if (_settings.Resume && !IsResumable)
        {
            throw new ArgumentException($"A run of {_settings.Method} can't be resumed; dense and pdp can. Start over without --resume.");
        }

        var isThere = _settings.Out is not null && Checkpoints.List().Count > 0;
        if (_settings.Resume != isThere)
        {
            throw new ArgumentException(isThere
                ? $"'{_settings.Out}' already holds a run: give --resume to continue it, or another --out."
                : $"'{_settings.Out}' has no checkpoint to resume.");
        }
    }

    // Epoch 0, or where the checkpoint left off.
    private int Start()
    {
        if (!_settings.Resume)
        {
            return 0;
        }

        var path = Checkpoints.FindNewest(Console.WriteLine)!;
        var texts = Safetensors.LoadMetadata(path);
        if (texts.GetValueOrDefault("settings") is not { } then || then != _settings.Fingerprint())
        {
            throw new InvalidDataException(
                $"'{path}' was made with other settings: {texts.GetValueOrDefault("settings")}. Give the same ones, or another --out.");
        }

        State.Load(path, () => _pruner?.Restore(PrunerState.FromJson(texts["pruner"])));
        _metrics.AddRange(JsonSerializer.Deserialize<EpochMetrics[]>(texts["metrics"])!);
        return int.Parse(texts["epoch"], CultureInfo.InvariantCulture);
    }

    private void Keep(int epochs)
    {
        if (_settings.Out is not { } folder)
        {
            return;
        }

        AtomicFile.WriteText(Path.Combine(folder, "metrics.csv"), string.Join('\n', [EpochMetrics.Header, .. _metrics, ""]));
        if (!IsResumable)
        {
            return;
        }

        var texts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["settings"] = _settings.Fingerprint(),
            ["epoch"] = epochs.ToString(CultureInfo.InvariantCulture),
            ["metrics"] = JsonSerializer.Serialize(_metrics),
        };
        if (_pruner is not null)
        {
            texts["pruner"] = _pruner.GetState().ToJson();
        }

        Checkpoints.Save(epochs, State, texts);
    }

    private RunReport Finish()
    {
        var peakMemory = PeakMemory.Read();
        // Other methods' masks are hard.
        double? soft = _settings.Method == Methods.Pdp ? _tests[0].Accuracy(_model, _pruner) : null;
        var pruning = _pruner?.Commit();
        Console.Write(pruning);
        var accuracies = _tests.ToDictionary(test => test.Name, test => test.Accuracy(_model), StringComparer.Ordinal);
        var report = new RunReport
        {
            Method = _settings.Method,
            Strategy = _settings.Strategy,
            Sparsity = pruning is null ? 0 : pruning.Layers.Sum(layer => layer.Zeros) / (double)pruning.PrunableWeights,
            Accuracy = accuracies[_tests[0].Name],
            SoftAccuracy = soft,
            Accuracies = accuracies,
            Epochs = _settings.Epochs,
            Seed = _settings.Seed,
            SecondsPerEpoch = _metrics.Select(metrics => metrics.Seconds).DefaultIfEmpty().Average(),
            StepRatio = _trainer.Costs.Ratio,
            PeakMemory = peakMemory,
            ExtraParameters = _pruner?.Parameters.Sum(entry => entry.Parameter.numel()) ?? 0,
            Settings = _settings.Fingerprint(),
            WeightsHash = FileHash.Of(new BertFolder(_settings.Weights).WeightsFile),
        };
        if (_settings.Out is { } folder)
        {
            Write(folder, report, pruning);
        }

        Console.WriteLine(report.ToJson());
        return report;
    }

    private void Write(string folder, RunReport report, PruningReport? pruning)
    {
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(folder);
        Safetensors.Save(Path.Combine(folder, "weights.safetensors"), _model.state_dict());
        if (pruning is not null)
        {
            AtomicFile.WriteText(Path.Combine(folder, "layers.csv"), pruning.ToCsv());
            AtomicFile.WriteText(Path.Combine(folder, "pruning.json"), pruning.ToJson());
        }

        AtomicFile.WriteText(Path.Combine(folder, "report.json"), report.ToJson() + "\n");
    }
}
