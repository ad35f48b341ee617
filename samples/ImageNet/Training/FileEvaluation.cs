using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Reporting;
using Pdp.Sparse;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>What <c>--evaluate</c> does.</summary>
internal static class FileEvaluation
{
    /// <summary>Shows the accuracy of weights, or of a checkpoint with its masks soft and as commit would leave them.</summary>
    public static void Run(
        string file, Settings settings, Learner learner, IPictureBatches validation, ICollective ranks, IDisplay display,
        CancellationToken stop)
    {
        MaskForm[] forms = [MaskForm.Soft, MaskForm.Folded];
        if (Checkpoint.Is(file))
        {
            Checkpoint.Load(file, learner, settings);
        }
        else
        {
            _ = SparseFile.Recognizes(file) ? SparseFile.Load(learner.Model, file) : Safetensors.LoadInto(learner.Model, file);
            (learner, forms) = (learner with { Average = null, Pruner = null }, [MaskForm.Raw]);
        }

        using var packed = settings.Packed ? Pack(file, settings, learner) : null;
        if (packed is not null)
        {
            display.Line($"{packed.Report}");
        }

        var accuracy = display.Watch("accuracy", validation.Count, report =>
            Evaluation.Measure(learner, validation, forms, ranks, done => report(done, () => ""), stop));
        foreach (var (form, value) in forms.Zip(accuracy))
        {
            display.Line(learner.Pruner is null ? $"{value}" : $"{form}: {value}");
        }
    }

    // The network on its nonzeros, for batches of one.
    private static SparseModel Pack(string file, Settings settings, Learner learner)
    {
        if (Checkpoint.Is(file) || learner.Device.type != DeviceType.CPU)
        {
            throw new ArgumentException(
                "--packed takes weights that are committed, on the CPU: give --evaluate weights.safetensors --device cpu.");
        }

        learner.Model.eval();
        using var picture = rand(1, 3, settings.Side, settings.Side);
        return SparseModel.Pack(learner.Model, picture);
    }
}
