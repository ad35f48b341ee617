using Pdp.Baselines;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>The pruning methods by the names of <c>--method</c>, and what each needs from the training loop.</summary>
internal static class Methods
{
    public const string Dense = "dense";
    public const string Pdp = "pdp";
    public const string Str = "str";

    /// <summary>The batches over which DCP's one-shot score sums up gradients.</summary>
    private const int ScoreBatches = 4;

    /// <summary>DCP with three losses, spread evenly over the network as in the paper.</summary>
    private static readonly DcpOptions DcpUsual = new() { Losses = ["layer1.1", "layer2.1", "layer3.0"] };

    /// <summary>All names, for messages.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Dense, Pdp, "gmp", Str, "optg", "acdc", "granet", "dnw", "mvp", "pofa", "lnm", "nisp", "scp", "dcp", "dcp-score"];

    /// <summary>The method of a run on single weights or N:M groups; null for PDP itself.</summary>
    /// <exception cref="ArgumentException">The method is one for channels, or lacks its teacher.</exception>
    public static IPruningMethod? Of(Settings settings) => settings.Method switch
    {
        Pdp => null,
        "gmp" => new Gmp(),
        "pofa" when settings.Teacher is null =>
            throw new ArgumentException("pofa learns from a teacher: give --teacher, the weights of a trained network."),
        "pofa" => new Gmp(),
        Str => new Str { Start = settings.StrStart },
        "optg" => new OptG(),
        "acdc" => new AcDc(),
        "granet" => new GraNet(),
        "dnw" => new Dnw(),
        "mvp" => new MovementPruning(),
        "lnm" => new SrSte(),
        _ => throw new ArgumentException($"{settings.Method} prunes channels, not {settings.Strategy}: give --strategy channel."),
    };

    /// <summary>The method of a run on channels; null for PDP itself.</summary>
    public static IPruningMethod? OfChannels(Settings settings, ResNet20 model, ChannelMap channels, Tensor example, Batches? training) =>
        settings.Method switch
        {
            "nisp" => new Nisp(model, channels, example),
            "scp" => new Scp(model, channels),
            "dcp" => new Dcp(model, channels, batch => Answer(model, training, batch), DcpOf(settings)),
            "dcp-score" => new DcpOneShot(model, channels, () => Backward(model, training)),
            _ => Of(settings),
        };

    /// <summary>Whether the sparsity is an outcome of the method rather than a setting.</summary>
    public static bool IsEmergent(Settings settings) => settings.Method == Str;

    /// <summary>The epoch at which the zeros are made final: POFA locks its pattern for the last quarter.</summary>
    public static double CommitEpoch(Settings settings) =>
        (settings.Method == "pofa" ? 0.75 : settings.Strategy == "channel" ? 0.5 : 1) * settings.Epochs;

    /// <summary>The decay of what a method learns besides the weights: thresholds have one, scores have none.</summary>
    public static double WeightDecay(Settings settings) => settings.Method == Str ? settings.StrDecay : 0;

    /// <summary>Whether what a method learns besides the weights takes Nesterov's steps, as thresholds do where the weights do.</summary>
    public static bool IsNesterov(Settings settings) => settings.Method == Str && settings.Nesterov;

    /// <summary>The learning rate of what a method learns besides the weights, over that of the weights.</summary>
    public static double LearningRateFactor(Settings settings, PdpPruner pruner, double time) =>
        settings.Method == "optg" ? pruner.Schedule.Fraction(time) : 1;

    /// <summary>Whether momentum is dropped between two steps, as AC/DC does where weights return.</summary>
    public static bool ForgetsMomentum(PdpPruner pruner, double time) =>
        pruner.Schedule is AlternatingPhases phases && pruner.Epoch is { } before && phases.IsDecompression(before, time);

    /// <summary>Whether removed weights lose their momentum, as GraNet does for those that grow again.</summary>
    public static bool ForgetsMomentumOfZeros(Settings settings) => settings.Method == "granet";

    private static DcpOptions DcpOf(Settings settings) => DcpUsual with
    {
        FineTuneSteps = settings.DcpSteps ?? DcpUsual.FineTuneSteps,
        UpdateSteps = settings.DcpUpdates ?? DcpUsual.UpdateSteps,
    };

    private static (Tensor Outputs, Tensor Labels) Answer(ResNet20 model, Batches? training, int batch)
    {
        ArgumentNullException.ThrowIfNull(training);
        var (pictures, labels) = training.Augmented(batch / training.Count, batch % training.Count);
        return (model.call(pictures), labels);
    }

    private static void Backward(ResNet20 model, Batches? training)
    {
        ArgumentNullException.ThrowIfNull(training);
        model.train();
        for (var step = 0; step < Math.Min(ScoreBatches, training.Count); step++)
        {
            using var scope = NewDisposeScope();
            var (pictures, labels) = training.Augmented(0, step);
            nn.functional.cross_entropy(model.call(pictures), labels).backward();
        }
    }
}
