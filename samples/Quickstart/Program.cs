// Trains a small network on digits drawn in code, then prunes it with PDP while it trains on.
//
//   dotnet run -c Release --project samples/Quickstart
//   dotnet run -c Release --project samples/Quickstart -- --strategy 2:4
//   dotnet run -c Release --project samples/Quickstart -- --strategy channel
//
// It needs no data and takes about a minute on one core. A tenth of the weights stays, or half of them with 2:4, and so does the
// accuracy: 98.2 % of the test digits before, with seed 0, and about as many after. It ends with the length of a file and the
// time for one picture, dense and packed. The last line is the outcome as JSON.

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pdp;
using Pdp.Samples;
using Pdp.Samples.Quickstart;
using Pdp.Training;
using static TorchSharp.torch;

const int DenseEpochs = 4;
const int BatchSize = 64;
const int TestBatchSize = 500;
const double LearningRate = 0.1;

return Sample.Run(args, Usage.Text, () =>
{
    Run(CommandLine.Parse<Settings>(args));
    return 0;
});

static void Run(Settings settings)
{
    var clock = Stopwatch.StartNew();
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    set_num_threads(settings.Threads);
    manual_seed(settings.Seed);
    Console.WriteLine($"quickstart: {Sample.Versions}, cpu: {CommandLine.Echo(settings)}");

    // Data and model.
    using var training = new DrawnImages(12_000, 2 * settings.Seed);
    using var test = new DrawnImages(4_000, (2 * settings.Seed) + 1);
    using var model = new ConvNet();

    using var example = test.Pictures.narrow(0, 0, 1);

    // The pruner attaches to the model and checks the options; it changes nothing before its first mask scope.
    using var pruner = new PdpPruner(model, new PdpOptions
    {
        Epochs = settings.Epochs,
        Sparsity = settings.Sparsity,
        Strategy = settings.MaskStrategy(),
        Channels = settings.MaskStrategy() is PerChannel ? ChannelMap.Find(model, example) : null,
    });

    // Train dense, then prune while training on.
    Console.WriteLine("phase,epoch,loss,soft_accuracy,hard_accuracy,sparsity,seconds");
    Train("dense", DenseEpochs, model, training, test);
    var dense = Accuracy(model, test);
    Console.Write(pruner.Plan());
    Train("pdp", settings.Epochs, model, training, test, pruner);

    // Write the zeros into the weights for good. From here on it's an ordinary model; the pruner is no longer needed.
    var report = pruner.Commit();
    Console.Write(report);

    // What that is worth: the length of a file, and the time for one picture.
    var accuracy = Accuracy(model, test);
    var forms = new List<Deployment> { Deployment.Plain("dense", model, example) };

    // Channels can go altogether: the same class runs on with fewer of them.
    if (settings.MaskStrategy() is PerChannel)
    {
        Console.Write(pruner.Shrink(example));
        forms.Add(Deployment.Plain("shrunk", model, example));
    }

    // Zeros that stay are skipped: the same model runs on its nonzeros, and its file holds nothing else.
    forms.Add(Deployment.Packed(model, example));
    Console.WriteLine(string.Join(Environment.NewLine, [Deployment.Header, .. forms]));

    Console.WriteLine(JsonSerializer.Serialize(new
    {
        strategy = settings.Strategy,
        sparsity = report.Sparsity,
        dense_accuracy = dense,
        pruned_accuracy = accuracy,
        bytes = forms.ToDictionary(form => form.Form, form => form.Bytes),
        milliseconds = forms.ToDictionary(form => form.Form, form => Math.Round(form.Milliseconds, 3)),
        seconds = Math.Round(clock.Elapsed.TotalSeconds, 1),
    }));
}

// Trains for some epochs, with a learning rate that falls as a cosine; with a pruner, it prunes on the way.
static void Train(string phase, int epochs, ConvNet model, DrawnImages training, DrawnImages test, PdpPruner? pruner = null)
{
    using var optimizer = new FusedSgd(
        model.named_parameters(), new SgdOptions { LearningRate = LearningRate, Momentum = 0.9, WeightDecay = 5e-4 });
    for (var epoch = 0; epoch < epochs; epoch++)
    {
        var clock = Stopwatch.StartNew();
        var loss = TrainEpoch($"{phase} {epoch + 1}/{epochs}", epoch, epochs, model, optimizer, training, pruner);
        var soft = Accuracy(model, test, pruner, MaskForm.Soft);
        var hard = pruner is null ? soft : Accuracy(model, test, pruner, MaskForm.Folded);
        var (sparsity, seconds) = (pruner?.Sparsity ?? 0, clock.Elapsed.TotalSeconds);
        Console.WriteLine($"{phase},{epoch + 1},{loss:0.0000},{soft:0.0000},{hard:0.0000},{sparsity:0.0000},{seconds:0.0}");
    }
}

// One pass over the training pictures; returns the mean loss.
static double TrainEpoch(string label, int epoch, int epochs, ConvNet model, FusedSgd optimizer, DrawnImages training, PdpPruner? pruner)
{
    using var epochScope = NewDisposeScope();
    var order = randperm(training.Count);
    var steps = training.Count / BatchSize;
    var schedule = new CosineSchedule(epochs * steps);
    using var progress = new ConsoleProgress(label, steps);
    var total = 0.0;
    model.train();
    for (var step = 0; step < steps; step++)
    {
        using var stepScope = NewDisposeScope();
        var batch = order.narrow(0, step * BatchSize, BatchSize);
        var (pictures, labels) = (training.Pictures.index_select(0, batch), training.Labels.index_select(0, batch));
        var now = epoch + (step / (double)steps);
        schedule.Apply(optimizer, ((long)epoch * steps) + step);
        optimizer.zero_grad();

        // PDP, 1 of 2: says how far the run is, and so how many weights are removed by now.
        pruner?.BeginEpoch(now);

        // PDP, 2 of 2: inside, the weights are masked; after it they're dense again, with gradients that went through the masks.
        using (pruner is null ? default : pruner.Mask())
        {
            var loss = nn.functional.cross_entropy(model.call(pictures), labels);
            loss.backward();
            total += loss.ReadCpuSingle(0);
        }

        optimizer.step();
        progress.Report(step + 1, $"loss {total / (step + 1):0.000}");
    }

    return total / steps;
}

// The fraction of test pictures whose digit the model names; with a pruner, under its masks: soft, as in training, or
// hard, as a commit would leave the weights now.
static double Accuracy(ConvNet model, DrawnImages test, PdpPruner? pruner = null, MaskForm form = MaskForm.Folded)
{
    using var mask = pruner is null ? default : pruner.Mask(form);
    using var testScope = NewDisposeScope();
    using var noGrad = no_grad();
    var hits = 0L;
    model.eval();
    foreach (var (pictures, labels) in test.Pictures.split(TestBatchSize).Zip(test.Labels.split(TestBatchSize)))
    {
        using var batchScope = NewDisposeScope();
        hits += model.call(pictures).argmax(1).eq(labels).sum().ReadCpuInt64(0);
    }

    return hits / (double)test.Count;
}
