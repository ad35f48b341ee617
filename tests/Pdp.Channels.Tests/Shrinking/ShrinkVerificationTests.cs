using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels.Shrinking;

/// <summary>Shrink compares the cut model on more than the example, and under the same noise.</summary>
public sealed class ShrinkVerificationTests
{
    private static readonly Scalar One = 1.0;

    public ShrinkVerificationTests() => manual_seed(3);

    /// <summary>Silent channels are 0 there, which is less than the example's, and more than other inputs'.</summary>
    [Fact]
    public void Shrink_ByADeclaredGroupThatIsRightOnTheExampleOnly_Throws()
    {
        var (first, head) = (Linear(6, 8), Linear(8, 3));
        using var model = new Net(new { first, head }, x =>
        {
            x = first.call(x);
            return head.call(x.mul(x.amax([1], keepdim: true).sigmoid()));
        });
        using (no_grad())
        {
            first.weight.abs_();
            first.bias!.zero_();
        }

        using var example = ones(2, 6);
        ChannelSlice[] slices =
        [
            new("first.weight", 0, 0, 1, ChannelRole.Filter),
            new("first.bias", 0, 0, 1, ChannelRole.Bias),
            new("head.weight", 1, 0, 1, ChannelRole.Input),
        ];
        var map = ChannelMap.Find(model, example).With(new ChannelGroup("first.weight", 8, slices));
        using var pruner = new PdpPruner(model, ZooCut.Options(map));
        pruner.BeginEpoch(0);
        pruner.Commit();
        using var before = model.call(example);

        var fault = Assert.Throws<InvalidOperationException>(() => pruner.Shrink(example));

        Assert.Contains("can't be shrunk", fault.Message);
        Assert.DoesNotContain("on the example", fault.Message);
        using var after = model.call(example);
        Assert.Equal(before.Values(), after.Values());
    }

    [Fact]
    public void Shrink_OfAModelThatAddsNoise_ComparesUnderTheSameNoise()
    {
        using var model = new Ending(x => x.add(randn_like(x), One));
        using var example = rand(2, 6);
        var map = ChannelMap.Find(model, example);
        using var pruner = new PdpPruner(model, ZooCut.Options(map));
        pruner.BeginEpoch(0);
        pruner.Commit();

        var report = pruner.Shrink(example);

        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
        Assert.True(report.ParametersAfter < report.ParametersBefore);
    }

    /// <summary>As logits of classes that are ruled out.</summary>
    [Theory]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.NaN)]
    public void Shrink_OfAModelWithOutputsThatAreNotFinite_ComparesTheOthers(double value)
    {
        using Scalar zero = 0, nothing = value;
        using var model = new Ending(x => x.masked_fill(x.lt(zero), nothing));
        using var biases = tensor(new[] { -1f, 0, 1 });
        using (no_grad())
            model.get_parameter("second.bias")!.copy_(biases);
        using var example = rand(8, 6);
        var map = ChannelMap.Find(model, example);
        using var pruner = new PdpPruner(model, ZooCut.Options(map));
        pruner.BeginEpoch(0);
        pruner.Commit();
        using var before = model.call(example);

        var report = pruner.Shrink(example);

        Assert.Contains(value, before.Values());
        Assert.True(double.IsFinite(report.Scale));
        Assert.InRange(report.Difference, 0, 1e-5 * report.Scale);
    }
}
