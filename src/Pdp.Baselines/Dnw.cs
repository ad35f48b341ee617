using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using static TorchSharp.torch;

namespace Pdp.Baselines;

/// <summary>DNW, discovering neural wirings (Wortsman, Farhadi, Rastegari, NeurIPS 2019).</summary>
/// <remarks>
/// ŵ = M·w, where M keeps the largest |w| and is recomputed in every step, and ∂L/∂w = g for every weight, including the removed ones
/// (straight-through). By default the full sparsity applies from the first step on. Supports unstructured and N:M.
/// </remarks>
public sealed record Dnw : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "DNW";

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options)
    {
        Ask.Strategies(options, Name, Strategy.Unstructured, Strategy.NofM);
        return options.Schedule is null ? options with { Schedule = new ConstantSparsity() } : options;
    }

    /// <inheritdoc/>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => new Run(layers);

    private sealed class Run(IReadOnlyList<MethodLayer> layers) : HardMaskRun(layers)
    {
        public override Tensor Backward(int layer, Tensor weight, Tensor upstream) => upstream.clone();
    }
}
