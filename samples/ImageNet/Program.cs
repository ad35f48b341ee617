// ImageNet: ResNet and MobileNet, dense or pruned while they train, by recipes that can be copied and edited.
//
//   dotnet run -c Release --project samples/ImageNet -- --recipe pdp-resnet18 --data /data/imagenet --out runs/pdp-resnet18
//   mpirun -n 4 dotnet run -c Release --no-build --project samples/ImageNet -- --distributed --recipe …
//
// Data: a folder with train and val, each with a folder of pictures for each class; --data synthetic:1024 draws some. The
// run can be interrupted (Ctrl-C, SIGTERM, kill -9) and continues with --resume, bit for bit on a CPU. Its last line is the
// report as JSON; --out DIR keeps it with the weights, the checkpoints, metrics.csv and files for TensorBoard. --help lists
// settings and recipes. ResNet18 takes weeks on a CPU; --recipe smoke, of 64 pictures, takes minutes.

using System.Globalization;
using Pdp;
using Pdp.Samples;
using Pdp.Samples.ImageNet;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Samples.ImageNet.Training;
using Pdp.Samples.Reports;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

using var interrupt = new Interrupt();
return Sample.Run(args, Usage.Text, () =>
{
    var settings = Recipe.Parse(args, Console.Error.WriteLine);
    return Ranks.Run(settings.Distributed, ranks => RunUntil(interrupt, settings, ranks));
});

static int RunUntil(Interrupt interrupt, Settings settings, ICollective ranks)
{
    try
    {
        Run(settings, ranks, interrupt.Token);
        return 0;
    }
    catch (OperationCanceledException)
    {
        if (ranks.Rank == 0)
        {
            Console.Error.WriteLine(
                settings is { Out: not null, Evaluate: null } ? "Interrupted; continue with --resume." : "Interrupted; nothing was kept.");
        }

        // The signal may have come to another rank.
        return interrupt.ExitCode > 0 ? interrupt.ExitCode : 130;
    }
}

static void Run(Settings settings, ICollective ranks, CancellationToken stop)
{
    // Ranks. The first one writes, and finds the checkpoint to resume from; the others have the same settings otherwise.
    Agreement.Require(ranks, settings.Common());
    settings = ranks.Rank == 0 ? settings : settings with { Out = null, Resume = false };

    // Settings. Errors are reported before anything else is done: times that don't fit, nothing to resume, or a run that exists already.
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    settings.RequirePossible();
    var folder = settings.Evaluate is null ? RunFolder.Checkpoints(settings) : null;
    using var own = settings.Out is { } place && folder is not null ? FolderLock.Take(place) : null;
    // Asked by all ranks, as some may have threads of their own.
    int? cores = ranks.Size > 1 ? Ranks.Cores(ranks) : null;
    if ((settings.Threads ?? cores) is { } threads)
    {
        set_num_threads(threads);
    }

    manual_seed(settings.Seed).Dispose();
    var device = DeviceOption.Choose(settings.Device, ranks);
    IDisplay display = ranks.Rank > 0 ? new NoDisplay()
        : Console.IsOutputRedirected || ranks.Size > 1 ? new PlainDisplay(Console.Out, TimeSpan.FromSeconds(10))
        : new TerminalDisplay(Spectre.Console.AnsiConsole.Console);
    display.Line($"imagenet: {Sample.Versions}, {device}, {get_num_threads()} threads: {CommandLine.Echo(settings)}");
    if (DenseNote.Of(settings, settings.Method) is { } note)
    {
        display.Line(note);
    }

    if (ranks.Size > 1)
    {
        display.Line(Ranks.Describe(ranks));
    }

    // Data.
    var (training, validation) = DataOption.Open(settings, ranks, Console.Error.WriteLine);
    using var ownedTraining = training;
    using var ownedValidation = validation;
    Agreement.Require(ranks, new Dictionary<string, string>
    {
        ["the pictures to train on"] = $"{training.Pictures}",
        ["the pictures to validate with"] = $"{validation.Pictures}",
    });

    // Model and optimizer.
    using var model = Model(settings, device);
    using var optimizer = new FusedSgd(
        Groups(settings, model),
        new SgdOptions { LearningRate = settings.Lr, Momentum = settings.Momentum, IsNesterov = settings.Nesterov });
    using var average = settings.Ema is { } decay ? new WeightAverage(model, decay) : null;

    // Pruning: attaches to the model and changes nothing in it; a dense run does without.
    using var pruner = Pruning.Attach(settings, model);
    var learner = new Learner(model, optimizer, average, pruner);
    using var team = new Team(ranks, learner);

    if (settings.Evaluate is { } file)
    {
        FileEvaluation.Run(file, settings, learner, validation, ranks, display, stop);
        return;
    }

    // Training, from the start or from where the newest checkpoint is.
    using var trainer = new Trainer(settings, learner, training, team);
    var session = new Session(settings, learner, trainer, team, display, stop) { Folder = folder };
    var run = session.Start();
    using var board = Board(settings, run, trainer);
    session = session with { Board = board };
    display.Line($"{pruner?.Plan()}{EpochMetrics.RowHeader}");
    while (run.Epoch < settings.Epochs)
    {
        run = session.TrainEpoch(run);
        run = session.EndEpoch(run, validation);
    }

    // Report: the three forms of the weights, then the zeros are made final, and channels that are zero go altogether.
    pruner?.BeginEpoch(settings.Epochs);
    var forms = pruner is null ? null : session.Measure(validation, MaskForm.Soft, MaskForm.Folded, MaskForm.Raw);
    average?.Swap();
    var uncommitted = Size(settings, model, device);
    var weights = Weights(settings, model, pruner);
    var pruning = pruner?.Commit();
    trainer.Reestimate();
    var shrink = Shrink(settings, pruner, device);
    display.Line($"{pruning}{shrink}");
    var committed = session with { Learner = learner with { Average = null, Pruner = null } };
    var report = new RunReport
    {
        Model = settings.Model,
        Method = settings.Method,
        Strategy = settings.Strategy,
        Sparsity = pruning?.Sparsity ?? 0,
        Zeros = Zeros(model),
        Parameters = model.parameters().Sum(parameter => parameter.numel()),
        Soft = forms?[0],
        Folded = forms?[1],
        Raw = forms?[2],
        MacsLeft = pruning?.Size is { Before.Macs: { } before, After.Macs: { } after } ? after / (double)before : null,
        Final = committed.Measure(validation, MaskForm.Raw)[0],
        Epochs = settings.Epochs,
        Seed = settings.Seed,
        FirstLoss = run.History[0].Loss,
        LastLoss = run.History[^1].Loss,
        SecondsPerEpoch = run.History.Average(metrics => metrics.Seconds),
        Ranks = ranks.Size,
        CommunicationSecondsPerStep = team.SecondsPerStep,
        Version = LibraryVersion.Current,
        Machine = Machine.Of(device),
    };
    RunFiles.Write(settings.Out, RunPage.FileName,
        ResultPage.Of(report, settings, run.History, pruning, weights, uncommitted, Size(settings, model, device)).ToHtml());
    RunFiles.WriteResults(settings.Out, model, report, pruning, shrink);
    if (settings.Out is not null)
    {
        display.Line(RunFiles.List(settings.Out));
    }

    if (ranks.Rank == 0)
    {
        Console.WriteLine(report.ToJson());
    }
}

static Module<Tensor, Tensor> Model(Settings settings, Device device)
{
    var model = Networks.Make(settings);
    if (settings.ShrinkRecord is not null)
    {
        ShrinkRecord.FromJson(File.ReadAllText(settings.ShrinkRecord)).Apply(model);
    }

    if (settings.Weights is not null)
    {
        Safetensors.LoadInto(model, settings.Weights);
    }

    return model.to(device);
}

static IReadOnlyList<ParameterGroup> Groups(Settings settings, Module model) => settings.DecayNorms
    ? [new(model.named_parameters()) { WeightDecay = settings.WeightDecay }]
    : ParameterGroup.DecayWeightsOnly(model.named_parameters(), settings.WeightDecay);

static TensorBoardLog? Board(Settings settings, Progress run, Trainer trainer) => settings is { Out: { } folder, LogSteps: > 0 }
    ? new TensorBoardLog(Path.Combine(folder, "tensorboard"), ((long)run.Epoch * trainer.Steps) + run.Step)
    : null;

// What the network takes up now.
static Footprint Size(Settings settings, Module<Tensor, Tensor> model, Device device)
{
    using var picture = zeros(1, 3, settings.Side, settings.Side, device: device);
    return Footprint.Of(model, MacCount.Of(model, picture).Total);
}

// Some weights under their masks.
static IReadOnlyList<WeightSnapshot> Weights(Settings settings, Module model, PdpPruner? pruner)
{
    if (pruner is null)
    {
        return [];
    }

    var history = new WeightHistory(model, pruner);
    history.Take(settings.Epochs);
    return history.Snapshots;
}

// Removed channels go altogether; other strategies leave zeros.
static ShrinkReport? Shrink(Settings settings, PdpPruner? pruner, Device device)
{
    using var picture = rand(1, 3, settings.Side, settings.Side, device: device);
    return pruner is not null && settings.Strategy == "channel" ? pruner.Shrink(picture) : null;
}

// The zero weights, norms and biases not counted: these are never pruned except where a channel goes.
static long Zeros(Module model)
{
    using var scope = NewDisposeScope();
    return model.parameters().Where(parameter => parameter.dim() > 1)
        .Sum(parameter => parameter.numel() - parameter.detach().count_nonzero().cpu().ReadCpuInt64(0));
}
