using Pdp.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Everything that learns and that a checkpoint holds. It is borrowed, not owned.</summary>
/// <param name="Model">The network, on its device.</param>
/// <param name="Optimizer">The optimizer with its momentum.</param>
/// <param name="Average">The running average of the weights; null if there is none.</param>
/// <param name="Pruner">The pruner; null in a dense run.</param>
internal sealed record Learner(Module<Tensor, Tensor> Model, FusedSgd Optimizer, WeightAverage? Average, PdpPruner? Pruner)
{
    /// <summary>What a checkpoint holds besides texts.</summary>
    public TrainingState State { get; } = new() { Model = Model, Optimizer = Optimizer, Average = Average };

    /// <summary>Where the network is.</summary>
    public Device Device { get; } = Model.parameters().First().device;
}
