using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests;

/// <summary>What every optimizer does beside its arithmetic.</summary>
public sealed class OptimizerTests
{
    public static TheoryData<string> Kinds => ["sgd", "plain sgd", "adam", "adamw", "amsgrad"];

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

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SetState_IntoANewOptimizer_ContinuesBitForBit(string kind)
    {
        using var scope = NewDisposeScope();
        var (whole, first, second) = (Fixed(), Fixed(), Fixed());
        using var undisturbed = Make(kind, whole);
        using var before = Make(kind, first);
        using var after = Make(kind, second);
        Train(undisturbed, whole, 0, 6);

        Train(before, first, 0, 3);
        Copy(first, second);
        var state = before.GetState();
        after.SetState(state);
        Train(after, second, 3, 6);

        Assert.Equal(Bytes(whole), Bytes(second));
        Assert.All(state.Values, tensor => Assert.False(tensor.IsInvalid));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SetState_WhenSomethingDoesNotFit_SaysWhatAndChangesNothing(string kind)
    {
        using var scope = NewDisposeScope();
        var parameters = Fixed();
        using var optimizer = Make(kind, parameters);
        Train(optimizer, parameters, 0, 2);
        var good = optimizer.GetState();
        var name = kind.Contains("plain", StringComparison.Ordinal) ? null : good.Keys.First(key => key.StartsWith("w.", StringComparison.Ordinal) && key != "w.step");
        (Action<Dictionary<string, Tensor>> Damage, string Says)[] cases =
        [
            (state => state["stranger.step"] = tensor(1L), "'stranger.step'"),
            (state => state.Remove("learning_rate"), "'learning_rate'"),
            (state => state["learning_rate"] = tensor(new[] { -1.0 }), "[0, ∞)"),
            (state => state["learning_rate"] = tensor(new[] { 1.0, 2.0 }), "[1]"),
            (state => state["w.step"] = tensor(0L), "'w.step'"),
            (state => state["w.step"] = tensor(1f), "'w.step'"),
            (state => state.Remove(name ?? "learning_rate"), name ?? "learning_rate"),
            (state => state[name ?? "stranger"] = ones(7), name ?? "stranger"),
            (state => state[name ?? "stranger"] = ones(3, 4, ScalarType.Float64), name ?? "stranger"),
        ];

        foreach (var (damage, says) in cases)
        {
            var bad = good.ToDictionary();
            damage(bad);
            Assert.Contains(says, Assert.Throws<ArgumentException>(() => optimizer.CheckState(bad)).Message, StringComparison.Ordinal);
            Assert.Contains(says, Assert.Throws<ArgumentException>(() => optimizer.SetState(bad)).Message, StringComparison.Ordinal);
        }

        var now = optimizer.GetState();
        Assert.Equal(good.Keys.Order(), now.Keys.Order());
        Assert.All(good, entry => Assert.Equal(entry.Value.bytes.ToArray(), now[entry.Key].bytes.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
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
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void GetStateAndSetState_LeaveNoTensorBehind(string kind)
    {
        var parameters = Fixed();
        using var optimizer = Make(kind, parameters);
        Train(optimizer, parameters, 0, 1);

        Leaks.None(() =>
        {
            var state = optimizer.GetState();
            optimizer.SetState(state);
            foreach (var tensor in state.Values)
                tensor.Dispose();
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Dispose_FreesTheStateAndKeepsTheParameters(string kind)
    {
        using var scope = NewDisposeScope();
        var parameters = Fixed();

        var before = Tensor.TotalCount;
        var optimizer = Make(kind, parameters);
        Train(optimizer, parameters, 0, 1);
        optimizer.zero_grad();
        optimizer.Dispose();
        optimizer.Dispose();

        Assert.Equal(before, Tensor.TotalCount);
        Assert.All(parameters, entry => Assert.False(entry.Parameter.IsInvalid));
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
        var before = table.weight!.detach().clone();
        table.call(tensor(new[] { 3L })).sum().backward();

        optimizer.step();

        var moved = before.sub(table.weight!).sum(1);
        Assert.Equal(new[] { 0f, 0, 0, 2, 0 }, moved.data<float>().ToArray().Select(value => MathF.Round(value)));
    }

    [Fact]
    public void Step_WhenAGradientDoesNotFit_NamesItAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        Parameter good = new(ones(2)), bad = new(ones(2));
        using var optimizer = new FusedSgd([("good", good), ("bad", bad)], new SgdOptions { LearningRate = 0.1 });
        good.grad = ones(2);
        foreach (var gradient in new[] { ones(3), ones(2, ScalarType.Float64), ones(1, 2) })
        {
            bad.grad = gradient;
            Assert.Contains("'bad'", Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message, StringComparison.Ordinal);
        }

        Assert.Equal(new[] { 1f, 1f }, good.data<float>().ToArray());
    }

    [Fact]
    public void Step_AfterTheModelWasMoved_SaysToMakeTheOptimizerAfterwards()
    {
        using var model = Linear(2, 2);
        using var optimizer = new FusedSgd(model.named_parameters(), new SgdOptions { LearningRate = 0.1 });

        model.to(ScalarType.Float64);

        foreach (var call in new Action[] { () => optimizer.step(), optimizer.zero_grad })
            Assert.Contains("after the model is moved", Assert.Throws<InvalidOperationException>(call).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_AfterAWeightWasCut_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(4));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        weight.grad = ones(4);
        optimizer.step();

        using (no_grad())
            weight.set_(ones(2));
        weight.grad = ones(2);

        Assert.Contains("'w' is [2], and its state [4]", Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message, StringComparison.Ordinal);
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

    [Fact]
    public void AnyCall_AfterDispose_SaysSo()
    {
        using var scope = NewDisposeScope();
        var optimizer = new FusedSgd(Fixed(), new SgdOptions { LearningRate = 0.1 });
        optimizer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => optimizer.step());
        Assert.Throws<ObjectDisposedException>(optimizer.zero_grad);
        Assert.Throws<ObjectDisposedException>(() => optimizer.GetState());
        Assert.Throws<ObjectDisposedException>(() => optimizer.SetState(new Dictionary<string, Tensor>()));
    }

    [Fact]
    public void Step_AfterAWeightWasReshaped_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(2, 4));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        weight.grad = ones(2, 4);
        optimizer.step();

        using (no_grad())
            weight.set_(ones(4, 2));
        weight.grad = ones(4, 2);

        Assert.Contains("'w' is [4, 2]", Assert.Throws<InvalidOperationException>(() => optimizer.step()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MaskState_WhereAWeightIsRemoved_DropsItsMomentum()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(3));
        using var optimizer = new FusedSgd([("w", weight)], new SgdOptions { LearningRate = 0.1, Momentum = 0.9 });
        weight.grad = ones(3);
        optimizer.step();
        weight.grad = zeros(3);
        using (no_grad())
            weight.copy_(tensor(new[] { 0f, 1, 1 }));

        optimizer.MaskState(new Dictionary<string, Tensor> { ["w"] = tensor(new[] { false, true, true }) });
        optimizer.step();

        Assert.Equal(0f, weight.data<float>()[0]);
        Assert.Equal(1 - 0.09f, weight.data<float>()[1], 1e-6f);
        Assert.Contains("there are w", Assert.Throws<ArgumentException>(() => optimizer.MaskState(new Dictionary<string, Tensor> { ["v"] = ones(3) })).Message, StringComparison.Ordinal);
        Assert.Contains("[2]", Assert.Throws<ArgumentException>(() => optimizer.MaskState(new Dictionary<string, Tensor> { ["w"] = ones(2) })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ResetState_ThenStep_IsAFirstStep(string kind)
    {
        using var scope = NewDisposeScope();
        var (fresh, used) = (Fixed(), Fixed());
        using var first = Make(kind, fresh);
        using var optimizer = Make(kind, used);
        Train(optimizer, used, 0, 3);
        Copy(fresh, used);

        optimizer.ResetState();
        Train(optimizer, used, 0, 2);
        Train(first, fresh, 0, 2);

        Assert.Equal(Bytes(fresh), Bytes(used));
    }

    [Fact]
    public void Constructor_WhenTheParametersAreWrong_SaysSo()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(3));
        var options = new SgdOptions { LearningRate = 0.1 };

        Assert.Throws<ArgumentException>(() => new FusedSgd(Array.Empty<(string, Parameter)>(), options));
        Assert.Contains("same parameter", Assert.Throws<ArgumentException>(() => new FusedSgd(
            [new ParameterGroup([("a", weight)]), new ParameterGroup([("b", weight)])], options)).Message, StringComparison.Ordinal);
        Assert.Contains("'c' is ComplexFloat32", Assert.Throws<ArgumentException>(() => new FusedSgd(
            [("c", new Parameter(ones(1, ScalarType.ComplexFloat32)))], options)).Message, StringComparison.Ordinal);
        Assert.Contains("named 'a'", Assert.Throws<ArgumentException>(() => new FusedSgd([("a", weight), ("a", new Parameter(ones(1)))], options)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => new FusedSgd([("a", weight)], null!));
        Assert.Throws<ArgumentNullException>(() => new FusedAdam([("a", weight)], null!));
        Assert.Throws<ArgumentNullException>(() => new FusedSgd([("a", null!)], options));
        Assert.Throws<ArgumentException>(() => new FusedSgd([("a", weight)], options with { IsNesterov = true }));
    }

    [Theory]
    [InlineData(-1e-9)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Options_WhenANumberIsOutOfRange_SaySo(double value)
    {
        var options = new SgdOptions { LearningRate = 0 };

        Assert.Throws<ArgumentOutOfRangeException>(() => options with { LearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { WeightDecay = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { Momentum = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => options with { Dampening = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { LearningRate = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Beta1 = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Beta2 = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { Epsilon = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptions { WeightDecay = value });
        Assert.Throws<ArgumentOutOfRangeException>(() => ParameterGroup.DecayWeightsOnly([], value));
    }

    private static (string Name, Parameter Parameter)[] Fixed()
    {
        using var generator = new Generator(3);
        return [("v", new Parameter(randn(3, 4, generator: generator))), ("w", new Parameter(randn(3, 4, generator: generator)))];
    }

    private static FusedOptimizer Make(string kind, IEnumerable<(string, Parameter)> parameters) => kind switch
    {
        "sgd" => new FusedSgd(parameters, new SgdOptions { LearningRate = 0.1, Momentum = 0.9, WeightDecay = 0.01, IsNesterov = true }),
        "plain sgd" => new FusedSgd(parameters, new SgdOptions { LearningRate = 0.1 }),
        "adam" => new FusedAdam(parameters, new AdamOptions { WeightDecay = 0.01 }),
        "adamw" => new FusedAdamW(parameters, new AdamOptions()),
        _ => new FusedAdamW(parameters, new AdamOptions { UsesAmsGrad = true }),
    };

    private static void Train(FusedOptimizer optimizer, (string Name, Parameter Parameter)[] parameters, int from, int to)
    {
        using var scope = NewDisposeScope();
        for (var step = from; step < to; step++)
        {
            using var generator = new Generator((ulong)step);
            foreach (var (_, parameter) in parameters)
                parameter.grad = randn(3, 4, generator: generator);
            optimizer.step();
        }
    }

    private static void Copy((string Name, Parameter Parameter)[] from, (string Name, Parameter Parameter)[] to)
    {
        using var noGrad = no_grad();
        foreach (var (source, target) in from.Zip(to))
            target.Parameter.copy_(source.Parameter);
    }

    private static byte[] Bytes((string Name, Parameter Parameter)[] parameters) => [.. parameters.SelectMany(entry => entry.Parameter.bytes.ToArray())];
}
