using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>The optimizer of what a method learns besides the weights.</summary>
internal static class Learning
{
    /// <summary>What the method learns takes a step of SGD at rate 1.</summary>
    public static void StepLearned(this PdpPruner pruner)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (name, parameter) in pruner.Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            parameter.sub_(gradient);
            gradient.zero_();
        }
    }
}
