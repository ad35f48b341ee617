using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Prunes a network to half of its channels, shrinks it, and compares it with the masked one on other inputs.</summary>
internal static class ZooCut
{
    private static readonly Scalar LearningRate = 0.05;

    /// <summary>Throws if an output differs, in evaluation or in training mode.</summary>
    /// <param name="zoo">The network.</param>
    /// <param name="map">Its channels.</param>
    /// <param name="type">The type to compute in.</param>
    /// <param name="steps">The steps of training before; weights are of normal scale without any.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="inputs">How many inputs are tried.</param>
    /// <param name="tolerance">
    /// The share of the largest value of an output by which it may differ; 0 for 1e-11 of float64 and 1e-5 of float32.
    /// </param>
    public static void Check(ZooCase zoo, ChannelMap map, ScalarType type, int steps, int seed = 0, int inputs = 20, double tolerance = 0)
    {
        if (map.Groups.Count == 0)
            return;

        tolerance = tolerance > 0 ? tolerance : type == ScalarType.Float64 ? 1e-11 : 1e-5;
        using var model = zoo.Model.Make(seed, type);
        using var example = zoo.Input(0, type);
        using var pruner = new PdpPruner(model, Options(map));
        pruner.BeginEpoch(0);
        for (var step = 0; step < steps; step++)
            Train(zoo, model, pruner, type, step);
        pruner.Commit();
        model.eval();
        using var masked = zoo.Model.Make(seed, type);
        masked.load_state_dict(model.state_dict());

        var report = pruner.Shrink(example);

        Assert.True(report.ParametersAfter < report.ParametersBefore, $"{zoo}: nothing was cut.");
        Compare(zoo, masked, model, type, inputs, tolerance, steps > 0 ? "trained, evaluation" : "random, evaluation");
        TrainWithoutDropout(masked);
        TrainWithoutDropout(model);
        Compare(zoo, masked, model, type, inputs, tolerance, steps > 0 ? "trained, training" : "random, training");
    }

    public static PdpOptions Options(ChannelMap map) => new()
    {
        Epochs = 1,
        Sparsity = 0.5,
        Strategy = new PerChannel(),
        Channels = map,
        Schedule = new ConstantSparsity(),
        Allocation = new UniformSparsity(),
    };

    private static void Train(ZooCase zoo, Module<Tensor, Tensor> model, PdpPruner pruner, ScalarType type, int step)
    {
        using var scope = NewDisposeScope();
        model.train();
        foreach (var parameter in model.parameters())
            parameter.grad = null;
        using (pruner.Mask())
        {
            var output = model.call(zoo.Input(100 + step, type));
            output.mul(output).mean().backward();
        }

        // Steps of a set length move all parameters, whatever the loss's scale.
        using var _ = no_grad();
        foreach (var parameter in model.parameters())
        {
            if (parameter.grad is { } gradient)
                parameter.sub_(gradient.sign().mul(LearningRate));
        }
    }

    private static void Compare(
        ZooCase zoo, Module<Tensor, Tensor> masked, Module<Tensor, Tensor> cut, ScalarType type, int inputs, double tolerance, string words)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        double[] differences = [], scales = [];
        for (var seed = 0; seed < inputs; seed++)
        {
            var input = zoo.Input(seed, type);
            var (expected, actual) = (masked.call(input), cut.call(input));
            Assert.Equal(expected.shape, actual.shape);
            differences = Largest(differences, ByFeature(zoo, expected.sub(actual)));
            scales = Largest(scales, ByFeature(zoo, expected));
        }

        Assert.All(scales, scale => Assert.True(double.IsFinite(scale), $"{zoo} ({words}): the masked model's output is {scale}."));
        foreach (var (i, difference) in differences.Index())
            Assert.True(
                difference <= tolerance * scales[i],
                $"{zoo} ({words}, {type}): output {i} differs by {difference:0.0E+0} of {scales[i]:0.0E+0}.");
    }

    private static double[] ByFeature(ZooCase zoo, Tensor output) =>
        output.abs().movedim([zoo.Features], [0]).flatten(1).amax([1]).Values();

    private static double[] Largest(double[] a, double[] b) =>
        [.. Enumerable.Range(0, Math.Max(a.Length, b.Length)).Select(i => Math.Max(a.ElementAtOrDefault(i), b.ElementAtOrDefault(i)))];

    /// <summary>Dropout draws for each channel, and for fewer of them other numbers.</summary>
    private static void TrainWithoutDropout(Module model)
    {
        model.train();
        foreach (var dropout in model.modules().Where(module => module is TorchSharp.Modules.Dropout or TorchSharp.Modules.Dropout2d))
            dropout.eval();
    }
}
