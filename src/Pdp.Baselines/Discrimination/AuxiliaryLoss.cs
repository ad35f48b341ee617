using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Discrimination;

/// <summary>
/// A discrimination-aware loss: the cross entropy of a linear classifier on the features of a module, after batch norm, rectifier and
/// average pooling.
/// </summary>
/// <remarks>
/// Its parameters belong to no module. The classifier starts at zero, where softmax regression may start as well as anywhere, so that
/// nothing is random.
/// </remarks>
internal sealed class AuxiliaryLoss : IDisposable
{
    private const double LeastShare = 0.1;

    private readonly Tensor _mean;
    private readonly Tensor _variance;
    private int _batches;

    /// <param name="module">The name of the module.</param>
    /// <param name="features">An output of the module, <c>[batch, channels, …]</c>.</param>
    /// <param name="classes">The number of classes.</param>
    private AuxiliaryLoss(string module, Tensor features, long classes)
    {
        Module = module;
        using var _ = no_grad();
        var (channels, type, device) = (features.shape[1], features.dtype, features.device);
        _mean = zeros([channels], type, device).DetachFromDisposeScope();
        _variance = ones([channels], type, device).DetachFromDisposeScope();
        Scale = Learned(ones([channels], type, device));
        Shift = Learned(zeros([channels], type, device));
        Weight = Learned(zeros([classes, channels], type, device));
        Bias = Learned(zeros([classes], type, device));

        static Tensor Learned(Tensor start) => start.requires_grad_().DetachFromDisposeScope();
    }

    /// <summary>The name of the module.</summary>
    public string Module { get; }

    /// <summary>What it learns.</summary>
    public IReadOnlyList<Tensor> Parameters => [Scale, Shift, Weight, Bias];

    private Tensor Scale { get; }

    private Tensor Shift { get; }

    private Tensor Weight { get; }

    private Tensor Bias { get; }

    /// <summary>The loss at a module, for features and classes as in a pass that listened to it.</summary>
    public static AuxiliaryLoss At(string module, Pass pass) => new(module, pass.Of([module]).Single(), pass.Outputs.shape[1]);

    /// <summary>The loss of a pass that listened to the module.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="isTraining">Whether the norm takes the statistics of the batch, which its own then follow.</param>
    public Tensor Of(Pass pass, bool isTraining)
    {
        using var scope = NewDisposeScope();
        // An average of all batches at first.
        var share = isTraining ? Math.Max(LeastShare, 1.0 / ++_batches) : 0;
        var features = functional.batch_norm(
            pass.Of([Module]).Single(), _mean, _variance, Scale, Shift, training: isTraining, momentum: share);
        var rectified = functional.relu(features);
        var pooled = rectified.dim() > 2 ? rectified.flatten(2).mean([2]) : rectified;
        return functional.cross_entropy(functional.linear(pooled, Weight, Bias), pass.Labels).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _mean.Dispose();
        _variance.Dispose();
        foreach (var parameter in Parameters)
            parameter.Dispose();
    }
}
