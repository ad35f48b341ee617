using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>One run: trains ResNet-20, dense or while pruning it, and writes metrics, report and weights.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Settings _settings;
    private readonly ResNet20 _model;
    private readonly PdpPruner? _pruner;
    private readonly Trainer _trainer;
    private readonly Evaluation _test;
    private readonly WeightHistory? _history;
    private readonly ICollective _ranks;
    private readonly Device _device;

    public TrainingRun(Settings settings, ICollective? ranks = null)
    {
        (_settings, _ranks, _device) = (settings, ranks ?? SingleRank.Instance, DeviceOption.Choose(settings.Device, ranks));
        RunRequirements.Require(settings);
        _model = Networks.Make(settings);
        var data = Cifar10Data.Load(DataPath(settings));
        if (settings.HoldOut is { } heldOut)
        {
            data = data.HoldOut(heldOut);
        }

        var pictures = settings.Limit is { } limit ? data.Train.Limit(limit) : data.Train;
        var training = new Batches(pictures, settings.Batch, settings.Seed, _ranks.Rank, _ranks.Size, _device, settings.Side);
        RequireShares(training);
        _test = new Evaluation(data.Test, settings.Seed, _ranks, _device, settings.Side);
        if (settings.Weights is not null)
        {
            Safetensors.LoadInto(_model, settings.Weights);
        }

        _model.to(_device);

        // The pruner attaches to the model and changes nothing in it; a dense run does without.
        _pruner = settings.Method == Methods.Dense ? null
            : RunPruner.Attach(_model, Pruning.Options(settings, _model, training), settings, Pruning.CommitEpoch(settings));

        _trainer = new Trainer(settings, _model, _pruner, training, _ranks);
        _history = _pruner is null || settings.Out is null ? null : new WeightHistory(_model, _pruner);
    }

    /// <summary>Trains, commits and reports.</summary>
    public void Run()
    {
        Console.Write(_pruner?.Plan());
        var run = Start();
        _trainer.Costs.Begin(run.Costs);
        Console.WriteLine(EpochMetrics.Header);
        foreach (var metrics in run.Metrics)
        {
            Console.WriteLine(metrics);
        }

        for (var epoch = run.Epoch; epoch < _settings.Epochs; epoch++)
        {
            run = Epoch(run, epoch);
            Keep(run);
        }

        Finish(run);
    }

    public void Dispose()
    {
        _pruner?.Dispose();
        _trainer.Dispose();
        _model.Dispose();
    }

    // The given place of the data, or that of the download.
    private static string DataPath(Settings settings) => (settings.Data, settings.Download) switch
    {
        ({ } path, false) => path,
        (null, true) => new Cifar10Download().FetchAsync(settings.DownloadTo ?? Cifar10Download.DefaultFolder).GetAwaiter().GetResult(),
        (null, false) => throw new ArgumentException($"--data needs the place of CIFAR-10. {Cifar10Download.Hint}"),
        _ => throw new ArgumentException("Give either --data or --download, not both."),
    };

    // Epoch 0, or where the checkpoint left off.
    private Checkpoint Start()
    {
        if (!_settings.Resume)
        {
            return new Checkpoint(Epoch: 0, _settings.TestEvery == 0 ? null : _test.Accuracy(_model), Metrics: [], Pruner: null);
        }

        var run = Checkpoint.Load(
            Path.Combine(_settings.Out!, RunRequirements.CheckpointName),
            _model, _trainer.Optimizer, _settings.Fingerprint(), _pruner, _settings.Epochs);
        _history?.Restore(run.Weights);
        if (_ranks.Rank == 0)
        {
            // A run that was killed after the checkpoint has not written the last line.
            WriteMetrics(_settings.Out!, run);
        }

        return run;
    }

    private void RequireShares(Batches training)
    {
        if (training.Smallest < _ranks.Size)
        {
            throw new ArgumentException(
                $"The last batch of an epoch has {training.Smallest} pictures, too few for {_ranks.Size} ranks: give another --batch.");
        }
    }

    private Checkpoint Epoch(Checkpoint run, int epoch)
    {
        var clock = Stopwatch.StartNew();
        var loss = _trainer.Epoch(epoch);
        var seconds = clock.Elapsed.TotalSeconds;
        var isMeasured = _settings.TestEvery > 0 && (epoch + 1) % _settings.TestEvery == 0;
        double? accuracy = isMeasured ? _test.Accuracy(_model, _pruner) : null;
        var committed = _pruner is null || !isMeasured ? accuracy : _test.Accuracy(_model, _pruner, MaskForm.Folded);
        var metrics = new EpochMetrics(
            epoch + 1, loss, _trainer.Optimizer.LearningRate, accuracy, committed, seconds, _pruner?.Sparsity ?? 0);
        Console.WriteLine(metrics);
        _history?.Take(epoch + 1);
        return run with { Epoch = epoch + 1, Metrics = [.. run.Metrics, metrics] };
    }

    private void Keep(Checkpoint run)
    {
        if (_settings.Out is not { } folder || _ranks.Rank > 0)
        {
            return;
        }

        // First: a folder with metrics.csv alone could be neither resumed nor run again.
        if (RunRequirements.IsWhole(_settings))
        {
            run = run with { Pruner = _pruner?.GetState().ToJson(), Weights = _history?.Snapshots ?? [], Costs = _trainer.Costs.SoFar };
            run.Save(Path.Combine(folder, RunRequirements.CheckpointName), _model, _trainer.Optimizer, _settings.Fingerprint());
        }

        WriteMetrics(folder, run);
    }

    private static void WriteMetrics(string folder, Checkpoint run) => AtomicFile.WriteText(
        Path.Combine(folder, "metrics.csv"),
        string.Join('\n', [EpochMetrics.Header, .. run.Metrics.Select(metrics => metrics.ToString()), ""]));

    // The three forms of the weights, then the zeros are made final.
    private void Finish(Checkpoint run)
    {
        var costs = _trainer.Costs.SoFar;
        double? Form(MaskForm form) => _pruner is null ? null : _test.Accuracy(_model, _pruner, form);
        // Other methods' masks are hard.
        var soft = _settings.Method == Methods.Pdp ? Form(MaskForm.Soft) : null;
        var (folded, raw) = _settings.TestEvery == 0 ? (null, null) : (Form(MaskForm.Folded), Form(MaskForm.Raw));
        var uncommitted = Size();
        var weights = Weights();
        var pruning = _pruner?.Commit();
        Console.Write(pruning);
        _trainer.Reestimate();
        var forms = new FinalForms(_settings, _model, _pruner, _test);
        var dense = forms.Dense();
        var shrink = forms.Shrink();
        Console.Write(shrink);
        var (accuracy, size) = (_test.Accuracy(_model), Size());
        Console.Write(FinalForms.Table([dense, shrink is null ? null : forms.Shrunk(), forms.Packed()]));
        var report = new RunReport
        {
            Method = _settings.Method,
            Strategy = _settings.Strategy,
            Sparsity = pruning is null ? 0 : pruning.Layers.Sum(layer => layer.Zeros) / (double)pruning.PrunableWeights,
            MacsRemoved = pruning?.Size is { Before.Macs: { } before, After.Macs: { } after } ? 1 - (after / (double)before) : null,
            StartAccuracy = run.StartAccuracy,
            SoftAccuracy = soft,
            FoldedAccuracy = folded,
            RawAccuracy = raw,
            Accuracy = accuracy,
            Speedup = shrink is null ? null : forms.Speedup(),
            Epochs = _settings.Epochs,
            Seed = _settings.Seed,
            SecondsPerEpoch = run.Metrics.Select(metrics => metrics.Seconds).DefaultIfEmpty().Average(),
            StepRatio = costs.Ratio(),
            PeakMemory = costs.PeakMemory,
            ExtraParameters = _pruner?.Parameters.Sum(entry => entry.Parameter.numel()) ?? 0,
            Settings = _settings.Fingerprint(),
            WeightsHash = FileHash.Of(_settings.Weights),
            Version = LibraryVersion.Current,
            Machine = Machine.Of(_device),
            Ranks = _ranks.Size,
            CommunicationSecondsPerStep = _trainer.CommunicationSeconds,
        };
        if (_settings.Out is { } folder && _ranks.Rank == 0)
        {
            var page = ResultPage.Of(report, _settings, run.Metrics, pruning, weights, uncommitted, size);
            ResultFiles.Write(folder, _model, page, shrink, _history, report);
        }

        Console.WriteLine(JsonSerializer.Serialize(report, Json.Options));
    }

    private WeightSnapshot[] Weights() => [.. _history?.Snapshots.Where(snapshot => snapshot.Epoch == _settings.Epochs) ?? []];

    private Footprint Size()
    {
        using var scope = NewDisposeScope();
        return Footprint.Of(_model, MacCount.Of(_model, _test.Example(_model).narrow(0, 0, 1)).Total);
    }
}
