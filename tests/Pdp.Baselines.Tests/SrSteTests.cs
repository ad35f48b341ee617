using Pdp.Baselines.Tests.Support;
using Pdp.Masks;
using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

public sealed class SrSteTests
{
    [Fact]
    public void Groups_KeepExactlyTwoOfFour()
    {
        using var scene = new Scene(Scene.Options(new SrSte(), null) with { Strategy = NofM.Keep(2, of: 4) });
        scene.Pruner.BeginEpoch(0);

        var masked = scene.Masked();

        Assert.All(masked.Values, weight => Assert.All(weight.Chunk(4), group => Assert.Equal(2, group.Count(w => w != 0))));
    }

    [Fact]
    public void Gradient_IsThatOfThePenaltyForm()
    {
        using var scene = new Scene(Scene.Options(new SrSte { Decay = 0.1 }, null) with { Strategy = NofM.Keep(1, of: 4) });
        scene.Pruner.BeginEpoch(0);
        var weights = scene["first.weight"];

        var (masked, gradient) = scene.Pass()["first.weight"];

        // L(STE form) + (λ/2)·Σ(1 − M)·w², by autograd.
        using var scope = NewDisposeScope();
        using Scalar half = 0.05;
        var w = Tensors.Of(weights, type: ScalarType.Float32).requires_grad_();
        var mask = Tensors.Of([.. masked.Select(value => value == 0 ? 0.0 : 1)], type: ScalarType.Float32);
        var through = w.add(mask.mul(w).sub(w).detach());
        var penalty = mask.sub(ones_like(mask)).neg().mul(w).mul(w).sum().mul(half);
        through.mul(Tensors.Of(scene.Upstream("first.weight"), type: ScalarType.Float32)).sum().add(penalty).backward();
        Close.Equal(w.grad!.Values(), gradient, 1e-6, 1e-7);
    }

    [Fact]
    public void WithoutDecayAndInOneGroup_IsDnw()
    {
        using var one = new Scene(Scene.Options(new SrSte { Decay = 0 }, 0.7));
        using var other = new Scene(Scene.Options(new Dnw(), 0.7));
        one.Pruner.BeginEpoch(0);
        other.Pruner.BeginEpoch(0);

        var (left, right) = (one.Pass(), other.Pass());

        Assert.All(one.Layers, layer =>
        {
            Assert.Equal(right[layer].Masked, left[layer].Masked);
            Assert.Equal(right[layer].Gradient, left[layer].Gradient);
        });
    }

    [Fact]
    public void AGroupOfTheWholeLayer_IsDnwWithAsManyKept()
    {
        using var one = new Scene(Scene.Options(new SrSte { Decay = 0 }, null) with { Strategy = NofM.Keep(4, of: 16), Include = ["first.weight"] });
        FillRows(one);
        one.Pruner.BeginEpoch(0);

        var masked = one.Masked()["first.weight"];

        Assert.All(masked.Chunk(16), row => Assert.Equal([13, 14, 15, 16], row.Where(w => w != 0).Select(w => Math.Round(w))));

        static void FillRows(Scene scene) => scene.Fill("first.weight", [.. Enumerable.Range(0, 512).Select(i => (double)(i % 16) + 1)]);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Decay_OutsideItsRange_IsRefused(double decay) =>
        Assert.Equal("Decay", Assert.Throws<ArgumentOutOfRangeException>(() => new SrSte { Decay = decay }).ParamName);
}
