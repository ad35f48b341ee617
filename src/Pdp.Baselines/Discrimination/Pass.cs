using static TorchSharp.torch;

namespace Pdp.Baselines.Discrimination;

/// <summary>What a pass of a network over a batch has given; the tensors are in the scope of the caller.</summary>
/// <param name="Outputs">The network's output, <c>[batch, classes]</c>.</param>
/// <param name="Labels">The labels of the batch.</param>
/// <param name="Features">Copies of the outputs of the modules that were listened to, in the order of their calls.</param>
internal sealed record Pass(Tensor Outputs, Tensor Labels, IReadOnlyList<(string Module, Tensor Output)> Features)
{
    /// <summary>The outputs of some of the modules.</summary>
    public IEnumerable<Tensor> Of(IReadOnlyCollection<string> modules) =>
        Features.Where(feature => modules.Contains(feature.Module)).Select(feature => feature.Output);
}
