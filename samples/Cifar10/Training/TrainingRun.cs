using System.Diagnostics;
using System.Text.Json;
using Pdp.Samples.Reports;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>One run: trains ResNet-20, dense or while pruning it, and writes metrics, report and weights.</summary>
internal sealed class TrainingRun : IDisposable
{
    private const string CheckpointName = "checkpoint.safetensors";
    private readonly Settings _settings;
    private readonly ResNet20 _model;
    private readonly PdpPruner? _pruner;
    private readonly Trainer _trainer;
    private readonly Evaluation _test;
    private readonly WeightHistory? _history;
    private readonly ICollective _ranks;

    public TrainingRun(Settings settings, ICollective? ranks = null)
    {
        (_settings, _ranks) = (settings, ranks ?? SingleRank.Instance);
        RequirePossible(settings);
        _model = new ResNet20(settings.Width);
        var data = Cifar10Data.Load(DataPath(settings));
        if (settings.HoldOut is { } heldOut)
        {
            data = data.HoldOut(heldOut);
        }

        var pictures = settings.Limit is { } limit ? data.Train.Limit(limit) : data.Train;
        var training = new Batches(pictures, settings.Batch, settings.Seed, _ranks.Rank, _ranks.Size);
        RequireShares(training);
        _test = new Evaluation(data.Test, settings.Seed, _ranks);
        LoadWeights();

        // The pruner attaches to the model and changes nothing in it; a dense run does without.
        _pruner = settings.Method == Methods.Dense ? null : new PdpPruner(_model, Pruning.Options(settings, _model, training));
        if (_pruner is not null)
        {
            Pruning.RequireEnded(_pruner.Schedule, settings);
        }

        _trainer = new Trainer(settings, _model, _pruner, training, _ranks);
        _history = _pruner is null || settings.Out is null ? null : new WeightHistory(_model, _pruner);
    }

    /// <summary>Checks the settings before anything is loaded or made.</summary>
    /// <exception cref="ArgumentException">Settings don't go together, or there is nothing to resume.</exception>
    public static void RequirePossible(Settings settings)
    {
        if (settings.Method != Methods.Dense)
        {
            Pruning.RequirePossible(settings);
        }

        if (settings.Distributed)
        {
            RequireDistributable(settings);
        }

        if (settings.Resume)
        {
            RequireResumable(settings);
        }
    }

    /// <summary>Trains, commits and reports.</summary>
    public void Run()
    {
        Console.Write(_pruner?.Plan());
        var run = Start();
        PeakMemory.Reset();
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

    private void LoadWeights()
    {
        if (_settings.ShrinkRecord is not null)
        {
            ShrinkRecord.FromJson(File.ReadAllText(_settings.ShrinkRecord)).Apply(_model);
        }

        if (_settings.Weights is not null)
        {
            Safetensors.LoadInto(_model, _settings.Weights);
        }
    }

    // Epoch 0, or where the checkpoint left off.
    private Checkpoint Start()
    {
        if (!_settings.Resume)
        {
            return new Checkpoint(Epoch: 0, _settings.TestEvery == 0 ? null : _test.Accuracy(_model), Metrics: [], Pruner: null);
        }

        return Checkpoint.Load(
            Path.Combine(_settings.Out!, CheckpointName), _model, _trainer.Optimizer, _settings.Fingerprint(), _pruner, _settings.Epochs);
    }

    private static void RequireResumable(Settings settings)
    {
        if (!IsWhole(settings))
        {
            throw new ArgumentException($"A run of {settings.Method} can't be resumed; dense and pdp can. Start over without --resume.");
        }

        var folder = settings.Out ?? throw new ArgumentException("--resume needs --out, the folder of the run to continue.");
        if (!HasRun(folder))
        {
            throw MissingRun.In(folder, CheckpointName, HasRun);
        }
    }

    private static bool HasRun(string folder) => File.Exists(Path.Join(folder, CheckpointName));

    // Whether all that a run learns is in the network's weights, for a checkpoint and for the ranks to agree on.
    private static bool IsWhole(Settings settings) => settings.Method is Methods.Dense or Methods.Pdp;

    private static void RequireDistributable(Settings settings)
    {
        Ranks.RequireCommonMasks(settings.Importance);
        if (!IsWhole(settings))
        {
            throw new ArgumentException($"A run of {settings.Method} can't be distributed; dense and pdp can.");
        }

        if (settings.Download)
        {
            throw new ArgumentException("Ranks would all download: give --download to a run without --distributed first.");
        }
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
        if (_pruner is { IsCommitted: false } && epoch >= Pruning.CommitEpoch(_settings))
        {
            _pruner.BeginEpoch(epoch);
            Console.Write(_pruner.Commit());
        }

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

        if (IsWhole(_settings))
        {
            run = run with { Pruner = _pruner?.GetState().ToJson() };
            run.Save(Path.Combine(folder, CheckpointName), _model, _trainer.Optimizer, _settings.Fingerprint());
        }

        AtomicFile.WriteText(
            Path.Combine(folder, "metrics.csv"),
            string.Join('\n', [EpochMetrics.Header, .. run.Metrics.Select(metrics => metrics.ToString()), ""]));
    }

    // The three forms of the weights, then the zeros are made final.
    private void Finish(Checkpoint run)
    {
        var peakMemory = PeakMemory.Read();
        double? Form(MaskForm form) => _pruner is null ? null : _test.Accuracy(_model, _pruner, form);
        // Other methods' masks are hard.
        var soft = _settings.Method == Methods.Pdp ? Form(MaskForm.Soft) : null;
        var (folded, raw) = _settings.TestEvery == 0 ? (null, null) : (Form(MaskForm.Folded), Form(MaskForm.Raw));
        var uncommitted = Size();
        var weights = Weights();
        var pruning = _pruner?.Commit();
        Console.Write(pruning);
        var dense = Deployed("dense");
        var shrink = Shrink();
        Console.Write(shrink);
        Console.Write(Table([dense, shrink is null ? null : Deployed("shrunk"), Packed()]));
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
            Accuracy = _test.Accuracy(_model),
            Speedup = shrink is null ? null : Speedup(),
            Epochs = _settings.Epochs,
            Seed = _settings.Seed,
            SecondsPerEpoch = run.Metrics.Select(metrics => metrics.Seconds).DefaultIfEmpty().Average(),
            StepRatio = _trainer.Costs.Ratio,
            PeakMemory = peakMemory,
            ExtraParameters = _pruner?.Parameters.Sum(entry => entry.Parameter.numel()) ?? 0,
            Settings = _settings.Fingerprint(),
            WeightsHash = FileHash.Of(_settings.Weights),
            Ranks = _ranks.Size,
            CommunicationSecondsPerStep = _trainer.CommunicationSeconds,
        };
        if (_settings.Out is { } folder && _ranks.Rank == 0)
        {
            var page = ResultPage.Of(report, _settings, run.Metrics, pruning, weights, uncommitted, Size());
            ResultFiles.Write(folder, _model, page, shrink, _history, report);
        }

        Console.WriteLine(JsonSerializer.Serialize(report, Json.Options));
    }

    private WeightSnapshot[] Weights() => [.. _history?.Snapshots.Where(snapshot => snapshot.Epoch == _settings.Epochs) ?? []];

    private Footprint Size()
    {
        using var scope = NewDisposeScope();
        return Footprint.Of(_model, MacCount.Of(_model, _test.Example().narrow(0, 0, 1)).Total);
    }

    // Removed channels go altogether; other strategies leave zeros.
    private ShrinkReport? Shrink()
    {
        using var scope = NewDisposeScope();
        return _pruner is not null && _settings.Strategy == "channel" ? _pruner.Shrink(_test.Example()) : null;
    }

    // One picture through the network as it is; null where nothing is measured.
    private Deployment? Deployed(string form)
    {
        using var scope = NewDisposeScope();
        return _settings.Deploy && _pruner is not null ? Deployment.Plain(form, _model, _test.Example().narrow(0, 0, 1)) : null;
    }

    private Deployment? Packed()
    {
        using var scope = NewDisposeScope();
        return _settings.Deploy && _pruner is not null ? Deployment.Packed(_model, _test.Example().narrow(0, 0, 1)) : null;
    }

    private static string Table(IEnumerable<Deployment?> forms) => forms.OfType<Deployment>().ToArray() is [_, ..] measured
        ? string.Concat(measured.Select(form => $"{form}{Environment.NewLine}").Prepend(Deployment.Header + Environment.NewLine))
        : "";

    // The shrunk network against one as large as before.
    private double Speedup()
    {
        using var dense = new ResNet20(_settings.Width);
        using var scope = NewDisposeScope();
        return Speed.Ratio(dense, _model, _test.Example());
    }
}
