using Pdp.Channels.Cutting;
using Pdp.Tests.Support;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels.Shrinking;

/// <summary>A shrink that fails leaves the model as it was; one that doesn't lets training continue.</summary>
public sealed class ShrinkFailureTests
{
    private const string Momentum = ".momentum_buffer";

    public static TheoryData<string> Failures =>
        ["throws at once", "throws when cut", "other shape when cut", "other values when cut", "spoils buffers", "spoils modes"];

    [Theory]
    [MemberData(nameof(Failures))]
    public void Shrink_ThatFails_LeavesTheModelAsItWas(string failure)
    {
        using var run = new Run();
        run.Revive();
        var (before, whole) = (Everything.Of(run.Model), run.Parameters);

        Assert.Throws<InvalidOperationException>(() => run.Pruner.Shrink(() => Call(run, failure, isCut: run.Parameters < whole)));

        Assert.Equal(before, Everything.Of(run.Model));
        Assert.False(run.Pruner.IsShrunk);
        Assert.Equal(run.Parameters, run.Pruner.Shrink(run.Example).ParametersBefore);
    }

    [Fact]
    public void Keep_ThatFailsHalfway_LeavesTheModelAsItWas()
    {
        using var model = Zoo.Get(nameof(GroupedNet)).Make();
        var before = Everything.Of(model);
        var part = new ChannelGroup("grouped", 24, [new("grouped.weight", 0, 0, 1, ChannelRole.Filter)]);

        // Found when the weight has been cut.
        var fault = Assert.ThrowsAny<Exception>(() => Surgery.Keep(model, [(part, [0, 1, 2, 3])]));

        Assert.Contains("not whole groups", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Fact]
    public void Undo_PutsGradientsBackToo()
    {
        using var run = new Run();
        var before = Everything.Of(run.Model);
        using var surgery = Surgery.Keep(run.Model, [.. run.Map.Groups.Select(group => (group, (IReadOnlyList<long>)[1, 3]))]);
        Assert.NotEqual(before, Everything.Of(run.Model));

        surgery.Undo();

        Assert.Equal(before, Everything.Of(run.Model));
    }

    [Fact]
    public void Slice_OfMomentum_LetsTrainingGoOnAsTheMaskedModels()
    {
        using var run = new Run(ScalarType.Float64);
        using var masked = Zoo.Get(nameof(VggLike)).Make(type: ScalarType.Float64);
        using var before = Optimizer(run.Model);
        for (var step = 0; step < 3; step++)
            Step(run.Model, before, step);
        run.Pruner.Commit();
        masked.load_state_dict(run.Model.state_dict());
        masked.parameters().First().requires_grad = false;
        var record = run.Pruner.Shrink(run.Example).Record;
        using var whole = Optimizer(masked);
        using var cut = Optimizer(run.Model);
        whole.SetState(before.GetState());
        cut.SetState(before.GetState().ToDictionary(pair => pair.Key, pair => Sliced(pair.Key, pair.Value), StringComparer.Ordinal));
        var silent = masked.named_parameters().Select(pair => (pair.parameter, Sounds: pair.parameter.ne(0).detach())).ToArray();

        for (var step = 3; step < 8; step++)
        {
            Step(masked, whole, step);
            using (no_grad())
            {
                foreach (var (parameter, sounds) in silent)
                    parameter.mul_(sounds);
            }

            Step(run.Model, cut, step);
        }

        foreach (var (name, parameter) in masked.named_parameters())
        {
            using var expected = record.Shapes.ContainsKey(name) ? record.Slice(parameter, name) : parameter.detach().clone();
            Close.Equal(expected.Values(), run.Model.get_parameter(name)!.Values(), relative: 1e-9, absolute: 1e-12);
        }

        // The state of a parameter has its name and shape.
        Tensor Sliced(string key, Tensor state) =>
            key.EndsWith(Momentum, StringComparison.Ordinal)
                && record.Shapes.ContainsKey(key[..^Momentum.Length]) ? record.Slice(state, key[..^Momentum.Length]) : state;
    }

    private static Tensor Call(Run run, string failure, bool isCut)
    {
        var output = run.Model.call(run.Example);
        switch (failure)
        {
            case "throws at once":
            case "throws when cut" when isCut:
                throw new InvalidOperationException(failure);
            case "other shape when cut" when isCut:
                return output.flatten();
            case "other values when cut" when isCut:
                return output.neg();
            case "spoils buffers":
                using (no_grad())
                    run.Model.named_buffers().First().buffer.zero_();
                throw new InvalidOperationException(failure);
            case "spoils modes":
                run.Model.train();
                throw new InvalidOperationException(failure);
            default:
                return output;
        }
    }

    private static FusedSgd Optimizer(Module model) =>
        new(model.named_parameters(), new SgdOptions { LearningRate = 0.01, Momentum = 0.9 });

    private static void Step(Module<Tensor, Tensor> model, FusedSgd optimizer, int seed)
    {
        using var scope = NewDisposeScope();
        model.train();
        model.modules().OfType<TorchSharp.Modules.Dropout>().Single().eval();
        optimizer.zero_grad();
        var output = model.call(Zoo.Get(nameof(VggLike)).Batch(seed, type: ScalarType.Float64));
        output.mul(output).mean().backward();
        optimizer.step();
    }

    /// <summary>A network in the midst of training, with gradients, and a weight that doesn't learn.</summary>
    private sealed class Run : IDisposable
    {
        public Run(ScalarType type = ScalarType.Float32)
        {
            var zoo = Zoo.Get(nameof(VggLike));
            Model = zoo.Make(type: type);
            Example = zoo.Batch(type: type);
            Map = ChannelMap.Find(Model, Example);
            Pruner = new(Model, ZooCut.Options(Map));
            Pruner.BeginEpoch(0);
            using (var scope = NewDisposeScope())
                Model.call(Example).sum().backward();
            Pruner.Commit();
            Model.train();
            Model.modules().OfType<TorchSharp.Modules.BatchNorm2d>().First().eval();
            Model.parameters().First().requires_grad = false;
        }

        public Module<Tensor, Tensor> Model { get; }

        public long Parameters => Model.parameters().Sum(parameter => parameter.numel());

        public Tensor Example { get; }

        public ChannelMap Map { get; }

        public PdpPruner Pruner { get; }

        /// <summary>Changes weights that were removed, as training on without masks does.</summary>
        public void Revive()
        {
            using var _ = no_grad();
            using Scalar one = 1.0;
            foreach (var parameter in Model.parameters())
                parameter.add_(one, one);
        }

        public void Dispose()
        {
            Pruner.Dispose();
            Example.Dispose();
            Model.Dispose();
        }
    }
}
