using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>A small model under a pruner, whose losses are linear in the weights, so that ∂L/∂ŵ is what a test chooses.</summary>
internal sealed class Scene : IDisposable
{
    private readonly Dictionary<string, Parameter> _parameters;

    /// <summary>Attaches with a schedule that is at its target from the first step on, unless the options bring one.</summary>
    public Scene(PdpOptions options, nn.Module<Tensor, Tensor>? model = null)
    {
        Model = model ?? TestModels.Mlp();
        _parameters = Model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        Pruner = new PdpPruner(Model, options);
    }

    public nn.Module<Tensor, Tensor> Model { get; }

    public PdpPruner Pruner { get; }

    /// <summary>The names of the pruned weights.</summary>
    public string[] Layers => [.. Pruner.Masks.Select(mask => mask.Name)];

    /// <summary>Options for a method, at its target from the first step on.</summary>
    public static PdpOptions Options(IPruningMethod method, double? sparsity = 0.5) =>
        new() { Method = method, Sparsity = sparsity, Epochs = 10, Schedule = new Pdp.ConstantSparsity() };

    /// <summary>The numbers of a weight, in the scope or out of it.</summary>
    public double[] this[string layer] => _parameters[layer].Values();

    public Parameter Parameter(string layer) => _parameters[layer];

    /// <summary>Writes a weight.</summary>
    public void Fill(string layer, IReadOnlyList<double> values) => Tensors.Fill(_parameters[layer], values);

    /// <summary>Numbers to be ∂L/∂ŵ, the same in every run.</summary>
    public double[] Upstream(string layer, int seed = 7) =>
        [.. Tensors.Normal(seed, _parameters[layer].numel()).Select(value => (double)(float)value)];

    /// <summary>
    /// A scope in which each weight's upstream gradient is <see cref="Upstream"/>; ŵ and ∂L/∂w of each, which may add up to what was there.
    /// </summary>
    public Dictionary<string, (double[] Masked, double[] Gradient)> Pass(int seed = 7, bool addsUp = false)
    {
        using var scope = NewDisposeScope();
        var masked = new Dictionary<string, double[]>();
        if (!addsUp)
            ZeroGradients();
        using (Pruner.Mask())
        {
            foreach (var layer in Layers)
            {
                masked[layer] = this[layer];
                var parameter = _parameters[layer];
                parameter.mul(Tensors.Of(Upstream(layer, seed), parameter.shape, parameter.dtype)).sum().backward();
            }
        }

        return masked.ToDictionary(pair => pair.Key, pair => (pair.Value, Gradient(pair.Key)));
    }

    /// <summary>ŵ of each weight, without a backward pass.</summary>
    public Dictionary<string, double[]> Masked()
    {
        using var _ = no_grad();
        using (Pruner.Mask())
            return Layers.ToDictionary(layer => layer, layer => this[layer]);
    }

    /// <summary>A masked training step at an epoch, of the weights and of what the method learns.</summary>
    public void Train(double epoch, int seed)
    {
        TestModels.Train(Model, Pruner, epoch, seed);
        Pruner.StepLearned();
    }

    /// <summary>Changes weights as an optimizer does.</summary>
    public void Step(double learningRate) => TestModels.Step(Model, learningRate);

    public void Dispose()
    {
        Pruner.Dispose();
        Model.Dispose();
    }

    private double[] Gradient(string layer)
    {
        using var gradient = _parameters[layer].grad!;
        return gradient.Values();
    }

    private void ZeroGradients()
    {
        foreach (var parameter in _parameters.Values)
            parameter.grad = null;
    }
}
