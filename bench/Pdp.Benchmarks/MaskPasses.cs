using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>
/// Enter and exit of weights with nothing around them: gradients of masked weights are there as if backward had left them.
/// </summary>
internal sealed class MaskPasses : IDisposable
{
    private readonly Layered _model;
    private readonly Tensor[] _gradients;
    private readonly Tensor[] _arriving;

    public MaskPasses(IMaskStrategy strategy, int layers = Layered.All, Temperature? temperature = null)
    {
        _model = new Layered(layers);
        Pruner = new PdpPruner(_model, new PdpOptions
        {
            Epochs = 1,
            Sparsity = strategy.FixedSparsity ?? 0.9,
            Strategy = strategy,
            Include = ["*"],
            Schedule = new ConstantSparsity(),
            Temperature = temperature ?? Temperature.Absolute(1e-4),
        });
        var weights = _model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        Weights = [.. Pruner.Masks.Select(mask => weights[mask.Name])];
        _gradients = [.. Weights.Select(weight => randn(weight.shape).DetachFromDisposeScope())];
        _arriving = [.. _gradients.Select(gradient => gradient.clone().DetachFromDisposeScope())];
        Pruner.BeginEpoch(0);
    }

    public PdpPruner Pruner { get; }

    /// <summary>The weights, in the order of the pruner's masks.</summary>
    public Parameter[] Weights { get; }

    /// <summary>∂L/∂ŵ of each.</summary>
    public IReadOnlyList<Tensor> Gradients => _gradients;

    /// <summary>The milliseconds of passes from the first one on.</summary>
    public static double[] Measure(IMaskStrategy strategy, int layers, int count)
    {
        using var passes = new MaskPasses(strategy, layers);
        return [.. Enumerable.Range(0, count).Select(_ => passes.Pass().TotalMilliseconds)];
    }

    /// <summary>One pass.</summary>
    public TimeSpan Pass()
    {
        for (var i = 0; i < Weights.Length; i++)
        {
            Weights[i].grad = null;
            // Corrected again and again the same numbers would become subnormal.
            _arriving[i].copy_(_gradients[i]);
        }

        return Alternation.Time(() =>
        {
            using var scope = Pruner.Mask();
            for (var i = 0; i < Weights.Length; i++)
                Weights[i].grad = _arriving[i];
        });
    }

    public void Dispose()
    {
        Pruner.Dispose();
        _model.Dispose();
        foreach (var gradient in _gradients.Concat(_arriving))
            gradient.Dispose();
    }
}
