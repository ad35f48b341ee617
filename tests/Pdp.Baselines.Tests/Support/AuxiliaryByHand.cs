using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Tests.Support;

/// <summary>The loss of a linear classifier that starts at zero, after batch norm, rectifier and average pooling, written out.</summary>
internal sealed class AuxiliaryByHand(int channels, int classes)
{
    private Tensor _mean = zeros([channels], ScalarType.Float64);
    private Tensor _variance = ones([channels], ScalarType.Float64);
    private int _batches;

    /// <summary>Scale, shift, weight and bias.</summary>
    public Tensor[] Parameters { get; } =
    [
        ones([channels], ScalarType.Float64).requires_grad_(), zeros([channels], ScalarType.Float64).requires_grad_(),
        zeros([classes, channels], ScalarType.Float64).requires_grad_(), zeros([classes], ScalarType.Float64).requires_grad_(),
    ];

    /// <param name="features"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="labels">The classes.</param>
    /// <param name="isTraining">Whether the norm takes the statistics of the batch, which its own then follow.</param>
    public Tensor Of(Tensor features, Tensor labels, bool isTraining)
    {
        var (mean, variance) = isTraining ? Followed(features) : (_mean, _variance);
        var normed = (features - Wide(mean)) / (Wide(variance) + Tensors.Of([1e-5])).sqrt();
        var rectified = functional.relu((normed * Wide(Parameters[0])) + Wide(Parameters[1]));
        return functional.cross_entropy(rectified.mean([2, 3]).matmul(Parameters[2].t()) + Parameters[3], labels);
    }

    /// <summary>The statistics of a batch, of which a share goes into the running ones: at first as much as of each batch before.</summary>
    private (Tensor Mean, Tensor Variance) Followed(Tensor features)
    {
        var mean = features.mean([0, 2, 3]);
        var variance = (features - Wide(mean)).pow(2).mean([0, 2, 3]);
        var count = features.numel() / features.shape[1];
        var share = Math.Max(0.1, 1.0 / ++_batches);
        _mean = (_mean * (1 - share)) + (mean.detach() * share);
        _variance = (_variance * (1 - share)) + (variance.detach() * (share * count / (count - 1)));
        return (mean, variance);
    }

    private static Tensor Wide(Tensor values) => values.reshape(1, -1, 1, 1);
}
