using Pdp.Tests;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests.Support;

/// <summary>
/// A training loop under any of the methods, as a user writes it: momentum and decay, and an optimizer for what the method learns.
/// </summary>
internal sealed class Loop : IDisposable
{
    private const int Examples = 16;
    private const double LearningRate = 0.05;

    private readonly IDisposable _scene;
    private readonly Sgd _weights;
    private readonly Sgd _learned;

    /// <summary>Makes the model, float64, and the pruner.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="change">Changes the options.</param>
    /// <param name="learned">Which of the method's parameters an optimizer gets; all, if null.</param>
    public Loop(string name, Func<PdpOptions, PdpOptions>? change = null, Func<string, bool>? learned = null)
    {
        (_scene, Model, Pruner) = name.Split(' ') is ["tied", var method] ? OfChannels(method, change) : OfWeights(name, change);
        // Statistics of a batch would depend on what it is divided into.
        Model.eval();
        _weights = new(Model, LearningRate, momentum: 0.9, decay: 0.01);
        _learned = new([.. Pruner.Parameters.Where(pair => learned?.Invoke(pair.Name) ?? true)], LearningRate, momentum: 0.9, decay: 0.01);
    }

    /// <summary>All methods on single weights, groups, channels of one weight, and channels that are tied.</summary>
    public static IReadOnlyList<string> Names =>
        ["PDP", .. Cases.OfWeights.Keys, "channel PDP", "channel GMP", "channel MVP", .. Cases.OfChannels.Select(name => $"tied {name}")];

    public nn.Module<Tensor, Tensor> Model { get; }

    public PdpPruner Pruner { get; }

    /// <summary>The learning rate of what the method learns.</summary>
    public double LearnedRate { get => _learned.LearningRate; set => _learned.LearningRate = value; }

    /// <summary>The factor of the loss.</summary>
    public double LossFactor { get; set; } = 1;

    /// <summary>All weights, and what the method learns.</summary>
    public double[] Values() =>
        [.. Model.parameters().Concat(Pruner.Parameters.Select(pair => pair.Parameter)).SelectMany(parameter => parameter.Values())];

    /// <summary>The parts of each step's batch, of which each has a backward pass of its own.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>Whether a scope is around all the parts, or around each.</summary>
    public bool IsInOneScope { get; init; }

    /// <summary>The form in which it trains.</summary>
    public MaskForm Form { get; init; }

    /// <summary>Steps at the beginning of epochs.</summary>
    public Loop Trained(IEnumerable<double> epochs)
    {
        foreach (var (number, epoch) in epochs.Index())
            Step(epoch, batch: number);
        return this;
    }

    /// <summary>One step of the optimizers on the summed loss of some examples.</summary>
    public void Step(double epoch, int batch)
    {
        Pruner.BeginEpoch(epoch);
        foreach (var parts in Enumerable.Range(0, Parts).Chunk(IsInOneScope ? Parts : 1))
        {
            using var mask = Pruner.Mask(Form);
            foreach (var part in parts)
                Backward(batch, part, Parts);
        }

        StepOptimizers();
    }

    /// <summary>A step of a loop that has forgotten the scope.</summary>
    public void StepWithoutScope(int batch)
    {
        Backward(batch, part: 0, parts: 1);
        StepOptimizers();
    }

    /// <summary>A look at the model between two steps.</summary>
    public double[] Evaluate(EvaluationOrder order, MaskForm form)
    {
        using var scope = NewDisposeScope();
        if (order == EvaluationOrder.MaskFirst)
        {
            using var first = Pruner.Mask(form);
            using var inner = no_grad();
            return Output();
        }

        using var outer = order == EvaluationOrder.NoGradFirst ? (IDisposable)no_grad() : inference_mode(true);
        using var mask = Pruner.Mask(form);
        return Output();
    }

    public void Dispose()
    {
        _weights.Dispose();
        _learned.Dispose();
        _scene.Dispose();
    }

    private static (IDisposable Scene, nn.Module<Tensor, Tensor> Model, PdpPruner Pruner) OfWeights(
        string name, Func<PdpOptions, PdpOptions>? change)
    {
        var options = name switch
        {
            "PDP" => new() { Sparsity = 0.6, Epochs = 10 },
            "channel PDP" => new() { Sparsity = 0.5, Epochs = 10, Strategy = new PerChannel() },
            "channel GMP" => Cases.With(new Gmp(), 0.5) with { Strategy = new PerChannel() },
            "channel MVP" => Cases.With(new MovementPruning(), 0.5) with { Strategy = new PerChannel() },
            _ => Cases.OfWeights[name](0.6),
        };
        var scene = new Scene(change?.Invoke(options) ?? options, TestModels.Mlp().to(ScalarType.Float64));
        return (scene, scene.Model, scene.Pruner);
    }

    private static (IDisposable Scene, nn.Module<Tensor, Tensor> Model, PdpPruner Pruner) OfChannels(
        string method, Func<PdpOptions, PdpOptions>? change)
    {
        var scene = new ChannelScene(scene => scene.Make(method), (_, options) => change?.Invoke(options) ?? options, ScalarType.Float64);
        return (scene, scene.Model, scene.Pruner);
    }

    private double[] Output() => Model.call(Inputs(batch: 99)).Values();

    /// <summary>Adds the gradients of a part of a batch.</summary>
    private void Backward(int batch, int part, int parts)
    {
        using var scope = NewDisposeScope();
        using Scalar factor = LossFactor;
        var size = Examples / parts;
        var (inputs, labels) = (
            Inputs(batch).narrow(0, part * size, size), TestModels.Batch(batch, Examples).Labels.narrow(0, part * size, size));
        nn.functional.cross_entropy(Model.call(inputs), labels, reduction: nn.Reduction.Sum).mul(factor).backward();
    }

    private void StepOptimizers()
    {
        _weights.Step();
        _learned.Step();
    }

    private Tensor Inputs(int batch) => Model is ResidualNet
        ? ResidualNet.Batch(batch, Examples, ScalarType.Float64)
        : TestModels.Batch(batch, Examples).Inputs.to_type(ScalarType.Float64);
}
