using Pdp.Tests.Support;
using Pdp.Training.Optimizers;
using TorchSharp.Modules;
using static Pdp.Training.Tests.Optimizers.OptimizerScene;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>What every optimizer does beside its arithmetic.</summary>
public sealed class OptimizerTests
{
    [Fact]
    public void Step_ThenBackwardThroughTheOldWeights_IsFoundByAutograd()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(randn(4, 4));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1 });
        var loss = weight.mul(weight).sum();
        weight.grad = ones(4, 4);

        optimizer.step();

        Assert.Contains("inplace operation", Assert.ThrowsAny<Exception>(() => loss.backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slot_AfterAStep_HoldsNothingOfTheParametersMemory()
    {
        using var scope = NewDisposeScope();
        using var parameter = new Parameter(ones(1000));
        using var slot = new Slot("w", parameter, new ParameterGroup([("w", parameter)]), states: 0);
        var product = parameter.mul(parameter).sum();

        using (no_grad())
            slot.Empty.neg_();

        Assert.Equal(0UL, slot.Empty.storage<float>().nbytes());
        Assert.Contains("modified by an inplace operation", Assert.ThrowsAny<Exception>(() => product.backward()).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
    public void Step_LeavesNoTensorBehind(string kind)
    {
        var parameters = Fixed();
        using var optimizer = Make(kind, parameters);
        using var gradient = ones(3, 4);

        Leaks.None(() =>
        {
            foreach (var (_, parameter) in parameters)
                parameter.grad = gradient;
            optimizer.step();
            optimizer.zero_grad();
        });
        Array.ForEach(parameters, entry => entry.Parameter.Dispose());
    }

    [Fact]
    public void Schedulers_OfTorchSharp_SetTheRate()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new FusedSgd(Fixed(), new SgdOptions { LearningRate = 0.8, Momentum = 0.9 });
        var halving = optim.lr_scheduler.StepLR(optimizer, 1, gamma: 0.5);

        halving.step();
        halving.step();

        Assert.Equal(0.2, optimizer.LearningRate, 1e-12);
        Assert.Equal(0.8, optimizer.Groups[0].InitialLearningRate);
    }

    [Fact]
    public void Step_WithAClosure_ReturnsItsLoss()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(full(2, 3f));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.5 });

        var loss = optimizer.step(() =>
        {
            optimizer.zero_grad();
            var squares = weight.mul(weight).sum();
            squares.backward();
            return squares;
        });

        Assert.Equal(18f, loss.item<float>());
        Assert.Equal(new[] { 0f, 0f }, weight.data<float>().ToArray());
    }

    [Fact]
    public void Step_WhenTheGradientIsSparse_TakesIt()
    {
        using var table = Embedding(5, 2, sparse: true);
        using var optimizer = new FusedSgd(table.named_parameters(), new SgdOptions { LearningRate = 1, Momentum = 0.9 });
        using var scope = NewDisposeScope();
        using (no_grad())
            table.weight!.zero_();
        table.call(tensor(new[] { 3L })).sum().backward();

        optimizer.step();

        Assert.Equal(new[] { 0f, 0, 0, 0, 0, 0, -1, -1, 0, 0 }, table.weight!.data<float>().ToArray());
    }

    [Fact]
    public void Step_WhenTwoLayersShareAWeight_MovesItOnce()
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(("first", Linear(3, 3, hasBias: false)), ("second", Linear(3, 3, hasBias: false)));
        var (first, second) = ((Linear)model[0], (Linear)model[1]);
        second.weight = first.weight;
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 1 });
        var before = first.weight!.detach().clone();
        first.weight!.grad = ones(3, 3);

        optimizer.step();

        Assert.All(before.sub(first.weight!).data<float>().ToArray(), moved => Assert.Equal(1f, moved, 1e-5f));
        Assert.Single(optimizer.parameters());
    }

    [Fact]
    public void Groups_AreCopies_SoThatAGroupKeepsWhatItWasGiven()
    {
        using var scope = NewDisposeScope();
        ParameterGroup[] groups = [new([("w", new Parameter(ones(1)))]) { WeightDecay = 0.5 }];
        using var first = new FusedSgd(groups, new SgdOptions { LearningRate = 0.1 });
        first.LearningRate = 1e-6;

        using var second = new FusedSgd(groups, new SgdOptions { LearningRate = 0.2 });

        Assert.Equal((0.2, 0.5, 1e-6), (second.LearningRate, second.Groups[0].WeightDecay, first.LearningRate));
    }
}
