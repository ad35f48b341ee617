using Pdp.Tests.Support;
using TorchSharp.Modules;
using static Pdp.Training.Tests.Optimizers.OptimizerScene;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>What is saved of an optimizer, restored, reset and masked.</summary>
public sealed class OptimizerStateTests
{
    [Theory]
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
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
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
    public void SetState_WhenSomethingDoesNotFit_SaysWhatAndChangesNothing(string kind)
    {
        using var scope = NewDisposeScope();
        var parameters = Fixed();
        using var optimizer = Make(kind, parameters);
        Train(optimizer, parameters, 0, 2);
        var good = optimizer.GetState();
        var name = kind.Contains("plain", StringComparison.Ordinal)
            ? null : good.Keys.First(key => key.StartsWith("w.", StringComparison.Ordinal) && key != "w.step");
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
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
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
        Array.ForEach(parameters, entry => entry.Parameter.Dispose());
    }

    [Theory]
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
    public void Dispose_FreesTheStateAndKeepsTheParameters(string kind)
    {
        using var scope = NewDisposeScope();
        var parameters = Fixed();
        Leaks.ForgetGarbage();

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
        Assert.Contains(
            "there are w",
            Assert.Throws<ArgumentException>(() => optimizer.MaskState(new Dictionary<string, Tensor> { ["v"] = ones(3) })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "[2]",
            Assert.Throws<ArgumentException>(() => optimizer.MaskState(new Dictionary<string, Tensor> { ["w"] = ones(2) })).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds), MemberType = typeof(OptimizerScene))]
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
}
