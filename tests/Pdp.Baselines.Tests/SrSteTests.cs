using Pdp.Baselines.Tests.Support;
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
        // A few roundings of float32, whose unit is 1.2e-7, also where the terms nearly cancel.
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

    [Theory]
    [InlineData(4, 16)]
    [InlineData(3, 32)]
    public void WithoutDecayAndInOneGroup_AsAPattern_IsDnw(int kept, int of)
    {
        using var one = OneRow(new SrSte { Decay = 0 }, of, options => options with { Strategy = NofM.Keep(kept, of: of) });
        using var other = OneRow(
            new Dnw(), of, options => options with { Rules = [new("last.weight") { Sparsity = 1 - (kept / (double)of) }] });

        var (left, right) = (one.Pass()["last.weight"], other.Pass()["last.weight"]);

        Assert.Equal(kept, left.Masked.Count(w => w != 0));
        Assert.Equal(right.Masked, left.Masked);
        Assert.Equal(right.Gradient, left.Gradient);
    }

    [Fact]
    public void Permuting_InsideGroups_PermutesTheMask()
    {
        int[] order = [2, 0, 3, 1];
        using var scene = new Scene(Scene.Options(new SrSte(), null) with { Strategy = NofM.Keep(2, of: 4) });
        scene.Pruner.BeginEpoch(0);
        var before = scene.Masked();

        foreach (var layer in scene.Layers)
            scene.Fill(layer, Permuted(scene[layer]));
        var after = scene.Masked();

        Assert.All(scene.Layers, layer => Assert.Equal(Permuted(before[layer]), after[layer]));
        Assert.NotEqual(before["first.weight"], after["first.weight"]);

        double[] Permuted(double[] weight) => [.. weight.Chunk(4).SelectMany(group => order.Select(i => group[i]))];
    }

    [Fact]
    public void Gradient_MinusThatOfDnw_IsTheDecayOfWhatIsRemoved()
    {
        using var one = new Scene(Scene.Options(new SrSte { Decay = 0.1 }, null) with { Strategy = NofM.Keep(2, of: 4) });
        using var other = new Scene(Scene.Options(new Dnw(), null) with { Strategy = NofM.Keep(2, of: 4) });
        one.Pruner.BeginEpoch(0);
        other.Pruner.BeginEpoch(0);

        var (left, right) = (one.Pass(), other.Pass());

        Assert.All(one.Layers, layer => Close.Equal(
            [.. one[layer].Zip(left[layer].Masked, (w, masked) => masked == 0 ? 0.1 * w : 0)],
            [.. left[layer].Gradient.Zip(right[layer].Gradient, (a, b) => a - b)],
            relative: 0,
            // A rounding of a gradient of up to 4.
            absolute: 5e-7));
    }

    [Fact]
    public void Decay_IsAddedOnceAStep()
    {
        using var scene = new Scene(Scene.Options(new SrSte { Decay = 0.1 }, null) with { Strategy = NofM.Keep(2, of: 4) });
        scene.Pruner.BeginEpoch(0);
        var upstream = scene.Upstream("first.weight");

        var (masked, first) = scene.Pass()["first.weight"];
        var second = scene.Pass(addsUp: true)["first.weight"].Gradient;
        scene.Masked();
        var zeroed = scene.Pass()["first.weight"].Gradient;
        scene.Fill("first.weight", [.. scene["first.weight"].Select(w => 3 * w)]);
        scene.Masked();
        var stepped = scene.Pass(addsUp: true)["first.weight"].Gradient;

        double[] decay = [.. masked.Zip(scene["first.weight"], (m, w) => m == 0 ? 0.1 * w / 3 : 0)];
        Close.Equal([.. upstream.Zip(decay, (g, d) => (2 * g) + d)], second, Close.Float32, 1e-6);
        Assert.Equal(first, zeroed);
        Close.Equal(
            [.. zeroed.Zip(upstream.Zip(decay), (before, pair) => before + pair.First + (3 * pair.Second))], stepped, Close.Float32, 1e-6);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Decay_OutsideItsRange_IsRefused(double decay) =>
        Assert.Equal("Decay", Assert.Throws<ArgumentOutOfRangeException>(() => new SrSte { Decay = decay }).ParamName);

    /// <summary>A weight <c>[1, n]</c> at its target.</summary>
    private static Scene OneRow(IPruningMethod method, int inputs, Func<PdpOptions, PdpOptions> change)
    {
        manual_seed(3);
        var scene = new Scene(change(Scene.Options(method, null)), nn.Sequential(("last", nn.Linear(inputs, 1))));
        scene.Pruner.BeginEpoch(0);
        return scene;
    }
}
