// ResNet-20 on CIFAR-10, dense or pruned while it trains.
//
//   dotnet run -c Release --project samples/Cifar10 -- --data cifar10-images.tar.gz --weights resnet20.safetensors
//
// Data: CIFAR-10 as pictures or as the official binary archive (--download fetches it). Training takes about three
// minutes an epoch on one core. The last line is the run's report as JSON; --out DIR keeps it with the weights.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pdp;
using Pdp.Channels;
using Pdp.Reporting;
using Pdp.Samples;
using Pdp.Samples.Cifar10;
using TorchSharp;
using static TorchSharp.torch;

const int TestBatch = 250;

if (args is ["--help" or "-h"])
{
    Console.Write(CommandLine.Help<Settings>());
    return 0;
}

try
{
    Run(CommandLine.Parse<Settings>(args));
    return 0;
}
catch (Exception e) when (e is ArgumentException or InvalidDataException or IOException or HttpRequestException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static void Run(Settings settings)
{
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    set_num_threads(settings.Threads);
    manual_seed(settings.Seed);
    Console.WriteLine($"cifar10: .NET {Environment.Version}, TorchSharp {typeof(torch).Assembly.GetName().Version}, cpu, seed {settings.Seed}: {CommandLine.Echo(settings)}");

    // Data.
    var data = Cifar10Data.Load(DataPath(settings));
    var training = new Batches(settings.Limit is { } limit ? data.Train.Limit(limit) : data.Train, settings.Batch, settings.Seed);
    var test = new Batches(data.Test, TestBatch, settings.Seed);

    // Model and optimizer.
    using var model = new ResNet20();
    if (settings.ShrinkRecord is not null)
    {
        ShrinkRecord.FromJson(File.ReadAllText(settings.ShrinkRecord)).Apply(model);
    }

    if (settings.Weights is not null)
    {
        Safetensors.LoadInto(model, settings.Weights);
    }

    using var optimizer = new Sgd(model.named_parameters(), settings.Lr, settings.Momentum, settings.WeightDecay, settings.Nesterov);

    // Pruning: attaches to the model and changes nothing in it; a dense run does without.
    using var pruner = settings.Method == "pdp" ? new PdpPruner(model, Pruning.Options(settings, model)) : null;
    Console.Write(pruner?.Plan());

    // Training.
    var run = Start(settings, model, optimizer, pruner, test, data.Test.Count);
    Console.WriteLine(EpochMetrics.Header);
    foreach (var metrics in run.Metrics)
    {
        Console.WriteLine(metrics);
    }

    for (var epoch = run.Epoch; epoch < settings.Epochs; epoch++)
    {
        if (pruner is { IsCommitted: false } && epoch >= Pruning.CommitEpoch(settings))
        {
            Console.Write(pruner.Commit());
        }

        var clock = Stopwatch.StartNew();
        var loss = TrainEpoch(settings, model, optimizer, pruner, training, epoch);
        var seconds = clock.Elapsed.TotalSeconds;
        var accuracy = Accuracy(model, test, data.Test.Count, pruner, MaskForm.Soft);
        var committed = pruner is null ? accuracy : Accuracy(model, test, data.Test.Count, pruner, MaskForm.Folded);
        var metrics = new EpochMetrics(epoch + 1, loss, optimizer.LearningRate, accuracy, committed, seconds, pruner?.Sparsity ?? 0);
        Console.WriteLine(metrics);
        run = run with { Epoch = epoch + 1, Metrics = [.. run.Metrics, metrics] };
        Keep(settings, run, model, optimizer, pruner);
    }

    // Report: the three forms of the weights, then the zeros are made final.
    var soft = Accuracy(model, test, data.Test.Count, pruner, MaskForm.Soft);
    double? Form(MaskForm form) => pruner is null ? null : Accuracy(model, test, data.Test.Count, pruner, form);
    var (folded, raw) = (Form(MaskForm.Folded), Form(MaskForm.Raw));
    var pruning = pruner?.Commit();
    Console.Write(pruning);
    var shrink = Shrink(settings, model, pruner, test);
    Console.Write(shrink);
    var report = new RunReport
    {
        Method = settings.Method,
        Strategy = settings.Strategy,
        Sparsity = pruning?.Sparsity ?? 0,
        StartAccuracy = run.StartAccuracy,
        SoftAccuracy = pruner is null ? null : soft,
        FoldedAccuracy = folded,
        RawAccuracy = raw,
        Accuracy = Accuracy(model, test, data.Test.Count),
        Speedup = shrink is null ? null : Speedup(model, test),
        Epochs = settings.Epochs,
        Seed = settings.Seed,
        SecondsPerEpoch = run.Metrics.Select(metrics => metrics.Seconds).DefaultIfEmpty().Average(),
    };
    Finish(settings, report, pruning, shrink, model);
}

// The given place of the data, or that of the download.
static string DataPath(Settings settings) => (settings.Data, settings.Download) switch
{
    ({ } path, false) => path,
    (null, true) => new Cifar10Download().FetchAsync(settings.DownloadTo ?? Cifar10Download.DefaultFolder).GetAwaiter().GetResult(),
    (null, false) => throw new ArgumentException($"--data wants the place of CIFAR-10. {Cifar10Download.Hint}"),
    _ => throw new ArgumentException("Give either --data or --download, not both."),
};

// One pass over the training pictures; returns the mean loss.
static double TrainEpoch(Settings settings, ResNet20 model, Sgd optimizer, PdpPruner? pruner, Batches training, int epoch)
{
    using var progress = new ConsoleProgress($"epoch {epoch + 1}", training.Count);
    var steps = settings.Epochs * (double)training.Count;
    var total = 0.0;
    model.train();
    for (var step = 0; step < training.Count; step++)
    {
        using var scope = NewDisposeScope();
        var (pictures, labels) = training.Augmented(epoch, step);
        optimizer.LearningRate = settings.Lr * 0.5 * (1 + Math.Cos(Math.PI * ((epoch * training.Count) + step) / steps));
        optimizer.ZeroGradients();
        pruner?.BeginEpoch(epoch + (step / (double)training.Count));
        var value = pruner is null
            ? Backward(model, pictures, labels)
            : MaskedBackward(model, pruner, pictures, labels);
        optimizer.Step();

        if (!float.IsFinite(value))
        {
            throw new InvalidDataException($"The loss is {value} in epoch {epoch + 1}, step {step + 1}; try a lower --lr.");
        }

        total += value;
        progress.Report(step + 1, $"loss {value:0.000}");
    }

    return total / training.Count;
}

// The weights are m·w in the scope, and dense again behind it, with gradients that went through the mask.
static float MaskedBackward(ResNet20 model, PdpPruner pruner, Tensor pictures, Tensor labels)
{
    using (pruner.Mask())
    {
        return Backward(model, pictures, labels);
    }
}

static float Backward(ResNet20 model, Tensor pictures, Tensor labels)
{
    var loss = nn.functional.cross_entropy(model.call(pictures), labels);
    loss.backward();
    return loss.ReadCpuSingle(0);
}

// The fraction of test pictures whose class the model names, with its weights in a form if it is being pruned.
static double Accuracy(ResNet20 model, Batches test, int count, PdpPruner? pruner = null, MaskForm form = MaskForm.Soft)
{
    using var mask = pruner is null ? default : pruner.Mask(form);
    using var progress = new ConsoleProgress("test", test.Count);
    using var noGrad = no_grad();
    var hits = 0L;
    model.eval();
    for (var index = 0; index < test.Count; index++)
    {
        using var scope = NewDisposeScope();
        var (pictures, labels) = test.Plain(index);
        hits += model.call(pictures).argmax(1).eq(labels).sum().ReadCpuInt64(0);
        progress.Report(index + 1);
    }

    return hits / (double)count;
}

// Epoch 0, or where the checkpoint left off.
static Checkpoint Start(Settings settings, ResNet20 model, Sgd optimizer, PdpPruner? pruner, Batches test, int count)
{
    if (!settings.Resume)
    {
        return new Checkpoint(Epoch: 0, Accuracy(model, test, count), Metrics: [], Pruner: null);
    }

    var folder = settings.Out ?? throw new ArgumentException("--resume wants --out, the folder of the run to go on with.");
    var run = Checkpoint.Load(Path.Combine(folder, "checkpoint.safetensors"), model, optimizer, settings.Fingerprint());
    if (run.Pruner is { } state)
    {
        pruner?.Restore(PrunerState.FromJson(state));
    }

    return run;
}

static void Keep(Settings settings, Checkpoint run, ResNet20 model, Sgd optimizer, PdpPruner? pruner)
{
    if (settings.Out is { } folder)
    {
        run = run with { Pruner = pruner?.GetState().ToJson() };
        run.Save(Path.Combine(folder, "checkpoint.safetensors"), model, optimizer, settings.Fingerprint());
        AtomicFile.WriteText(Path.Combine(folder, "metrics.csv"), string.Join('\n', [EpochMetrics.Header, .. run.Metrics.Select(metrics => metrics.ToString()), ""]));
    }
}

// Removed channels go altogether; other strategies leave zeros.
static ShrinkReport? Shrink(Settings settings, ResNet20 model, PdpPruner? pruner, Batches test)
{
    using var scope = NewDisposeScope();
    return pruner is not null && settings.Strategy == "channel" ? pruner.Shrink(test.Plain(0).Pictures) : null;
}

// The shrunk network against one as large as before.
static double Speedup(ResNet20 model, Batches test)
{
    using var dense = new ResNet20();
    using var scope = NewDisposeScope();
    return Speed.Ratio(dense, model, test.Plain(0).Pictures);
}

static void Finish(Settings settings, RunReport report, PruningReport? pruning, ShrinkReport? shrink, ResNet20 model)
{
    var json = JsonSerializer.Serialize(report, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower });
    if (settings.Out is { } folder)
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(Path.Combine(folder, "weights.safetensors"), model.state_dict());
        AtomicFile.WriteText(Path.Combine(folder, "report.json"), json + "\n");
        if (pruning is not null)
        {
            AtomicFile.WriteText(Path.Combine(folder, "layers.csv"), pruning.ToCsv());
        }

        if (shrink is not null)
        {
            AtomicFile.WriteText(Path.Combine(folder, "shrink.json"), shrink.Record.ToJson() + "\n");
        }
    }

    Console.WriteLine(json);
}
