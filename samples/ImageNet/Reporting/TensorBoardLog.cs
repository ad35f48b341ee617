using System.Runtime.InteropServices;
using Pdp.Samples.ImageNet.Training;
using Tensorboard;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>What TensorBoard shows of a run: numbers over steps, and how weights and masks are distributed.</summary>
/// <param name="file">Where it goes; disposed with this.</param>
internal sealed class TensorBoardLog(EventFile file) : IDisposable
{
    /// <param name="folder">The folder, which TensorBoard is pointed to.</param>
    /// <param name="step">The step that the run starts or continues at.</param>
    public TensorBoardLog(string folder, long step)
        : this(new EventFile(folder, step))
    {
    }

    /// <summary>Numbers of a step, by name.</summary>
    /// <param name="at">The steps of the whole run so far.</param>
    /// <param name="numbers">The numbers.</param>
    public void Numbers(long at, params ReadOnlySpan<(string Name, double Value)> numbers)
    {
        var summary = new Summary();
        foreach (var (name, value) in numbers)
        {
            summary.Value.Add(new Summary.Types.Value { Tag = name, SimpleValue = (float)value });
        }

        file.Write(at, summary);
    }

    /// <summary>The results of an epoch.</summary>
    public void Epoch(long at, EpochMetrics metrics) => Numbers(
        at,
        ("validation/top1", metrics.Top1),
        ("validation/top5", metrics.Top5),
        ("validation/folded_top1", metrics.FoldedTop1),
        ("validation/folded_top5", metrics.FoldedTop5),
        ("pruning/sparsity", metrics.Sparsity));

    /// <summary>Histograms of the weights, and of the masks where there are any.</summary>
    public void Weights(long at, Learner learner)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weights = learner.Model.named_parameters().Where(entry => entry.parameter.dim() > 1)
            .Select(entry => (entry.name, entry.parameter, Dense: entry.parameter.detach().clone().cpu())).ToArray();
        var summary = new Summary();
        foreach (var (name, _, dense) in weights)
        {
            Add(summary, $"weights/{name}", Numbers(dense));
        }

        using (learner.Pruner is { Sparsity: > 0 } pruner ? pruner.Mask() : default)
        {
            foreach (var (name, parameter, dense) in weights)
            {
                AddMask(summary, $"masks/{name}", Numbers(dense), Numbers(parameter.detach().cpu()));
            }
        }

        file.Write(at, summary);
    }

    public void Dispose() => file.Dispose();

    // The mask is what the scope has multiplied the weight by, whatever the strategy; where nothing changed, the layer is dense.
    private static void AddMask(Summary summary, string name, ReadOnlySpan<float> dense, ReadOnlySpan<float> masked)
    {
        if (masked.SequenceEqual(dense))
        {
            return;
        }

        var mask = new float[dense.Length];
        for (var i = 0; i < mask.Length; i++)
        {
            mask[i] = dense[i] == 0 ? 0 : masked[i] / dense[i];
        }

        Add(summary, name, mask);
    }

    private static void Add(Summary summary, string name, ReadOnlySpan<float> values) =>
        summary.Value.Add(new Summary.Types.Value { Tag = name, Histo = Histogram.Of(values) });

    private static ReadOnlySpan<float> Numbers(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
