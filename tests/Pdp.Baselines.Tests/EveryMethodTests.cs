using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

/// <summary>What holds for every method, through the core's scope and commit.</summary>
public sealed class EveryMethodTests
{
    public static TheoryData<string> Names => [.. Cases.OfWeights.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void AtSparsityZero_AStepIsTheDenseOne(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0));
        using var dense = TestModels.Mlp();
        scene.Pruner.BeginEpoch(0);

        scene.Train(0, seed: 3);
        using var scope = NewDisposeScope();
        var (inputs, labels) = TestModels.Batch(3);
        nn.functional.cross_entropy(dense.call(inputs), labels).backward();
        TestModels.Step(dense, 0.1);

        Assert.Equal(TestModels.Bytes(dense), TestModels.Bytes(scene.Model));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_LeavesWhatTheLastForwardSaw(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6));
        Train(scene);
        var masked = scene.Masked();

        var report = scene.Pruner.Commit();

        Assert.All(scene.Layers, layer => Assert.Equal(masked[layer], scene[layer]));
        Assert.All(report.Layers, layer => Assert.Equal(layer.Zeros, layer.Removed));
        Assert.Equal(masked.Values.Sum(weight => weight.LongCount(w => w == 0)), report.Removed);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Commit_LeavesNoNegativeZero(string name)
    {
        foreach (var form in (MaskForm[])[MaskForm.Folded, MaskForm.Raw])
        {
            using var scene = new Scene(Cases.OfWeights[name](0.6));
            Train(scene);

            scene.Pruner.Commit(form);

            Assert.All(scene.Layers, layer => Assert.DoesNotContain(scene[layer], value => value == 0 && double.IsNegative(value)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scope_LeavesTheWeightsAsTheyWere(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6));
        Train(scene);
        var before = TestModels.Bytes(scene.Model);

        scene.Pass();

        Assert.Equal(before, TestModels.Bytes(scene.Model));
    }

    /// <summary>
    /// Masks are hard, and methods learn by the way back, in every form; STR's kept weights alone are others in the raw one.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Training_IsTheSameInEveryForm(string name)
    {
        var epochs = Enumerable.Range(0, 20).Select(step => step / 2.0).ToArray();
        using var soft = new Loop(name).Trained(epochs);
        using var folded = new Loop(name) { Form = MaskForm.Folded }.Trained(epochs);
        using var raw = new Loop(name) { Form = MaskForm.Raw }.Trained(epochs);

        Assert.Equal(soft.Values(), folded.Values());
        if (name != "STR")
            Assert.Equal(soft.Values(), raw.Values());
        raw.Pruner.Commit();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_LeaveNoTensorBehind(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6));
        Train(scene);
        var epoch = 9.5;

        Leaks.None(() => scene.Train(epoch += 0.01, seed: 1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WholeEpochs_LeaveNoTensorBehind(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6));
        var epoch = 0.0;

        Leaks.None(() =>
        {
            scene.Train(epoch, seed: 1);
            scene.Train(epoch + 0.5, seed: 2);
            epoch++;
        });

        Assert.Equal(Leaks.Operations, epoch);
        Assert.True(scene.Pruner.Sparsity > 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pruner_WhenDisposed_LeavesNoTensorBehind(string name)
    {
        using var model = TestModels.Mlp();
        Use();
        // Garbage of earlier tests is counted until its finalizers have run.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;

        var learned = Use();

        // Making a Parameter moves a handle out of a tensor, which TorchSharp goes on counting.
        Assert.Equal(before + learned, Tensor.TotalCount);

        int Use()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var pruner = new PdpPruner(model, Cases.OfWeights[name](0.6));
            TestModels.Train(model, pruner, 0, seed: 1, learningRate: 0);
            return pruner.Parameters.Count;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void State_IsRefusedWithTheReason(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6));

        Assert.Contains(
            "can't be resumed", Assert.Throws<InvalidOperationException>(scene.Pruner.GetState).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATemperature_IsRefusedInsteadOfIgnored()
    {
        var options = Cases.With(new Gmp(), 0.5);
        var temperature = Pdp.Temperature.Relative(1);

        Assert.Contains(
            "no soft mask",
            Assert.Throws<ArgumentException>(() => new Scene(options with { Temperature = temperature })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no soft mask",
            Assert.Throws<ArgumentException>(() => new Scene(options with { GradientTemperature = temperature })).Message,
            StringComparison.Ordinal);
        Assert.Contains("no soft mask", Assert.Throws<ArgumentException>(() =>
            new Scene(options with { Rules = [new("first.weight") { Temperature = temperature }] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAMethodLeavesOpen_IsWhatItFillsIn()
    {
        using var scene = new Scene(Cases.With(new Dnw(), 0.5));
        scene.Pruner.BeginEpoch(0);

        Assert.Equal(0.5, scene.Pruner.Sparsity);
        Assert.Equal(832, scene.Masked().Values.Sum(weight => weight.Count(w => w == 0)));
    }

    [Fact]
    public void Mask_RefusesAScoreOfAnotherShape()
    {
        var mask = new PdpMask("weight", new WeightLayout([2, 3]), new Unstructured(), Pdp.Temperature.Absolute(1));
        using var score = zeros(6);

        Assert.Contains("[1, 6]", Assert.Throws<ArgumentException>(() => mask.KeptBy(score)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("members", () => new MethodLayer(mask, null).Remove(6));
    }

    [Theory]
    [InlineData("GMP")]
    [InlineData("GraNet")]
    [InlineData("OptG")]
    [InlineData("MVP")]
    public void Commit_AfterTheClockWasSetOnce_IsRefusedAsTheMethodTookNoMasks(string name)
    {
        using var scene = new Scene(Cases.OfWeights[name](0.6) with { Epochs = 1 });
        scene.Pruner.BeginEpoch(0);
        scene.Pass();

        var error = Assert.Throws<InvalidOperationException>(() => scene.Pruner.Commit());

        Assert.Contains("call BeginEpoch(epoch, step, steps) before every step", error.Message, StringComparison.Ordinal);
        Assert.False(scene.Pruner.IsCommitted);
    }

    /// <summary>Ten epochs of two steps.</summary>
    private static void Train(Scene scene)
    {
        for (var step = 0; step < 20; step++)
            scene.Train(step / 2.0, step);
    }
}
