using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>The test pictures.</summary>
internal sealed class Evaluation(ImageSet pictures, int seed, ICollective? ranks = null, Device? device = null, int side = ImageSet.Side)
{
    private const int BatchSize = 250;
    private readonly ICollective _ranks = ranks ?? SingleRank.Instance;
    private readonly Batches _batches = new(pictures, BatchSize, seed, device: device, side: side);

    /// <summary>Some pictures to try a network on, where it is.</summary>
    public Tensor Example(ResNet20 model) => _batches.Plain(0).Pictures.to(model.parameters().First().device);

    /// <summary>
    /// The fraction whose class the model names, with its weights in a form if it is being pruned. Several ranks share the work.
    /// </summary>
    public double Accuracy(ResNet20 model, PdpPruner? pruner = null, MaskForm form = MaskForm.Soft)
    {
        using var mask = pruner is null ? default : pruner.Mask(form);
        using var progress = new ConsoleProgress("test", _batches.Count);
        using var noGrad = no_grad();
        var hits = 0L;
        model.eval();
        for (var index = _ranks.Rank; index < _batches.Count; index += _ranks.Size)
        {
            using var scope = NewDisposeScope();
            var (pictures, labels) = _batches.Plain(index);
            hits += model.call(pictures).argmax(1).eq(labels).sum().cpu().ReadCpuInt64(0);
            progress.Report(index + 1);
        }

        using var all = tensor(hits);
        _ranks.Sum(all);
        return all.ReadCpuInt64(0) / (double)pictures.Count;
    }
}
