using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Strategies;

public sealed class TaylorTests
{
    [Fact]
    public void Update_WithinTheWindow_IsTheMeanOfTheMagnitudes() => Law.Holds(
        from seed in Gen.Int[0, 1_000_000]
        from count in Gen.Int[1, 8]
        select (seed, count),
        law =>
        {
            using var scope = NewDisposeScope();
            double[][] gradients = [.. Enumerable.Range(0, law.count).Select(i => Tensors.Normal(law.seed + i, 6))];

            var sensitivity = Learned(new Taylor { Window = 8 }, gradients);

            Close.Equal(
                [.. Enumerable.Range(0, 6).Select(i => gradients.Average(gradient => Math.Abs(gradient[i])))],
                sensitivity.Values(),
                Close.Float64,
                Close.Float64);
        });

    [Fact]
    public void Update_BehindTheWindow_ForgetsAtItsPace()
    {
        using var scope = NewDisposeScope();

        var sensitivity = Learned(new Taylor { Window = 2 }, [4.0], [-2.0], [8.0], [0.0]);

        // 4, the mean of 4 and 2, halfway to 8, halfway to 0.
        Assert.Equal([2.75], sensitivity.Values());
    }

    [Fact]
    public void Update_LeavesNoTensorBehind()
    {
        using var gradient = Tensors.Of(Tensors.Normal(1, 6));

        Leaks.None(() =>
        {
            using var first = new Taylor().Update(null, gradient, 0);
            using var second = new Taylor().Update(first, gradient, 1);
        });
    }

    [Fact]
    public void Window_ByDefault_IsAHundred() => Assert.Equal(100, new Taylor().Window);

    [Fact]
    public void Window_BelowOne_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new Taylor { Window = 0 });

    [Fact]
    public void Describe_SaysTheWindow() => Assert.Equal("taylor, the mean over 7 gradients", new Taylor { Window = 7 }.Describe());

    private static Tensor Learned(Taylor taylor, params double[][] gradients)
    {
        Tensor? sensitivity = null;
        foreach (var (i, gradient) in gradients.Index())
            sensitivity = taylor.Update(sensitivity, Tensors.Of(gradient), i);
        return sensitivity!;
    }
}
