using Pdp.Masks;
using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>A training loop under any of the methods, as a user writes it: momentum and decay, and an optimizer that has what the method learns.</summary>
internal sealed class Loop : IDisposable
{
    private const int Examples = 16;

    private readonly IDisposable _scene;
    private readonly Sgd _sgd;

    /// <summary>Makes the model, float64, and the pruner.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="learned">Which of the method's parameters the optimizer gets; all, if null.</param>
    public Loop(string name, Func<string, bool>? learned = null)
    {
        (_scene, Model, Pruner) = name.Split(' ') switch
        {
            ["tied", var method] => OfChannels(method),
            ["channel", "PDP"] => OfWeights(new() { Sparsity = 0.5, Epochs = 10, Strategy = new Channel() }),
            ["channel", "GMP"] => OfWeights(Cases.With(new Gmp(), 0.5) with { Strategy = new Channel() }),
            ["channel", "MVP"] => OfWeights(Cases.With(new MovementPruning(), 0.5) with { Strategy = new Channel() }),
            ["PDP"] => OfWeights(new() { Sparsity = 0.6, Epochs = 10 }),
            _ => OfWeights(Cases.OfWeights[name](0.6)),
        };
        // Statistics of a batch would depend on what it is divided into.
        Model.eval();
        _sgd = new([.. Model.named_parameters(), .. Pruner.Parameters.Where(pair => learned?.Invoke(pair.Name) ?? true)], 0.05, momentum: 0.9, decay: 0.01);
    }

    /// <summary>All methods on single weights, groups, channels of one weight, and channels that are tied.</summary>
    public static IReadOnlyList<string> Names =>
        ["PDP", .. Cases.OfWeights.Keys, "channel PDP", "channel GMP", "channel MVP", .. Cases.OfChannels.Select(name => $"tied {name}")];

    public nn.Module<Tensor, Tensor> Model { get; }

    public PdpPruner Pruner { get; }

    /// <summary>All weights, and what the method learns.</summary>
    public double[] Values() => [.. Model.parameters().Concat(Pruner.Parameters.Select(pair => pair.Parameter)).SelectMany(parameter => parameter.Values())];

    /// <summary>One step of the optimizer on the summed loss of some examples.</summary>
    public void Step(double epoch, int batch)
    {
        Pruner.BeginEpoch(epoch);
        using (Pruner.Mask())
            Backward(batch, part: 0, parts: 1);
        _sgd.Step();
    }

    /// <summary>A step of a loop that has forgotten the scope.</summary>
    public void StepWithoutScope(int batch)
    {
        Backward(batch, part: 0, parts: 1);
        _sgd.Step();
    }

    /// <summary>A look at the model between two steps.</summary>
    public double[] Evaluate(bool maskFirst, MaskForm form)
    {
        using var scope = NewDisposeScope();
        if (!maskFirst)
        {
            using var outer = no_grad();
            using var mask = Pruner.Mask(form);
            return Output();
        }

        using var first = Pruner.Mask(form);
        using var inner = no_grad();
        return Output();
    }

    public void Dispose()
    {
        _sgd.Dispose();
        _scene.Dispose();
    }

    private static (IDisposable Scene, nn.Module<Tensor, Tensor> Model, PdpPruner Pruner) OfWeights(PdpOptions options)
    {
        var scene = new Scene(options, TestModels.Mlp().to(ScalarType.Float64));
        return (scene, scene.Model, scene.Pruner);
    }

    private static (IDisposable Scene, nn.Module<Tensor, Tensor> Model, PdpPruner Pruner) OfChannels(string method)
    {
        var scene = new ChannelScene(scene => scene.Make(method), type: ScalarType.Float64);
        return (scene, scene.Model, scene.Pruner);
    }

    private double[] Output() => Tensors.Values(Model.call(Inputs(batch: 99)));

    /// <summary>Adds the gradients of a part of a batch.</summary>
    private void Backward(int batch, int part, int parts)
    {
        using var scope = NewDisposeScope();
        var size = Examples / parts;
        var (inputs, labels) = (Inputs(batch).narrow(0, part * size, size), TestModels.Batch(batch, Examples).Labels.narrow(0, part * size, size));
        nn.functional.cross_entropy(Model.call(inputs), labels, reduction: nn.Reduction.Sum).backward();
    }

    private Tensor Inputs(int batch) => Model is ResidualNet
        ? ResidualNet.Batch(batch, Examples, ScalarType.Float64)
        : TestModels.Batch(batch, Examples).Inputs.to_type(ScalarType.Float64);
}
