using Pdp.Layers;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Strategies;

public sealed class NofMTests
{
    private static readonly (int Kept, int Of)[] Patterns = [(1, 4), (2, 4), (4, 8), (2, 8), (7, 8)];

    /// <summary>A layer of each kind, by name; all see a multiple of 8 inputs.</summary>
    private static readonly Dictionary<string, Func<Module>> Layers = new()
    {
        ["linear"] = () => Linear(16, 6, hasBias: false),
        ["conv1d"] = () => Conv1d(16, 4, 3, bias: false),
        ["conv2d"] = () => Conv2d(8, 4, 3, bias: false),
        ["conv3d"] = () => Conv3d(8, 2, 2, bias: false),
        ["grouped conv2d"] = () => Conv2d(16, 6, 3, groups: 2, bias: false),
        ["transposed conv1d"] = () => ConvTranspose1d(16, 3, 3, bias: false),
        ["transposed conv2d"] = () => ConvTranspose2d(8, 5, 3, bias: false),
        ["transposed conv3d"] = () => ConvTranspose3d(8, 3, 2, bias: false),
        ["grouped transposed conv2d"] = () => ConvTranspose2d(16, 6, 3, groups: 2, bias: false),
    };

    public static TheoryData<string, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int>();
            foreach (var layer in Layers.Keys)
            {
                foreach (var (kept, of) in Patterns)
                    cases.Add(layer, kept, of);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kept_InEachGroupOfInputs_AreExactlyTheLargestN(string layer, int kept, int of)
    {
        using var module = Layers[layer]();
        using var scope = NewDisposeScope();
        var layout = LayerScan.LayoutOf(module, module.parameters().Single());
        var values = Tensors.Normal(5, layout.Elements);
        var mask = Making.Mask(NofM.Keep(kept, of), layout, of - kept, Temperature.Relative(1));

        var hard = mask.Kept(Tensors.Of(values, [.. layout.Shape])).Values();

        var inputs = layer.Contains("transposed", StringComparison.Ordinal) ? 0 : 1;
        var blocks = Oracle.Blocks(layout.Shape, inputs, of).ToArray();
        Assert.Equal(layout.Elements / of, blocks.Length);
        Assert.All(blocks, block => Assert.Equal(
            Oracle.Kept([.. block.Select(i => values[i])], of - kept), block.Select(i => hard[i] == 1)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Soft_InEachGroupOfInputs_IsThatOfTheGroupAlone(string layer, int kept, int of)
    {
        using var module = Layers[layer]();
        using var scope = NewDisposeScope();
        var layout = LayerScan.LayoutOf(module, module.parameters().Single());
        var values = Tensors.Normal(6, layout.Elements);
        var mask = Making.Mask(NofM.Keep(kept, of), layout, of - kept, Temperature.Absolute(0.5));

        var soft = mask.Soft(Tensors.Of(values, [.. layout.Shape])).Values();

        foreach (var block in Oracle.Blocks(layout.Shape, layout.InputDimension, of))
        {
            var threshold = Oracle.Threshold(block.Select(i => values[i]), of - kept);
            Close.Equal(
                [.. block.Select(i => Oracle.Mask(values[i], threshold, 0.5))], [.. block.Select(i => soft[i])], Close.Float64, 1e-12);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Apply_WithOneGroup_IsUnstructured(int members)
    {
        using var scope = NewDisposeScope();
        var weight = Tensors.Of(Tensors.Normal(7, members), [1, members]).requires_grad_();
        var twin = weight.detach().clone().requires_grad_();

        var patterned = Making.Mask(NofM.Keep(1, members), [1, members], members - 1, Temperature.Relative(1)).Apply(weight);
        var unstructured = Making.Mask(new Unstructured(), [1, members], members - 1, Temperature.Relative(1)).Apply(twin);
        patterned.sum().backward();
        unstructured.sum().backward();

        Assert.Equal(unstructured.Values(), patterned.Values());
        Assert.Equal(twin.grad!.Values(), weight.grad!.Values());
    }

    [Fact]
    public void Kept_OfGroupsOfTiesAndZeros_IsExact()
    {
        using var scope = NewDisposeScope();
        var mask = Making.Mask(NofM.Keep(2, of: 4), [3, 4], 2, Temperature.Relative(1));

        var kept = mask.Kept(Tensors.Of([1, -1, 1, 1, 0, 0, 0, 0, 0, 2, 0, 0], [3, 4]));

        Assert.Equal([0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1], kept.Values());
    }

    [Fact]
    public void Sum_AndSpread_AreAdjoint()
    {
        using var scope = NewDisposeScope();
        var pattern = NofM.Keep(2, of: 4);
        var layout = new WeightLayout([8, 3, 2], inputDimension: 0);
        var values = Tensors.Of(Tensors.Normal(8, 48), [8, 3, 2]);
        var grouped = Tensors.Of(Tensors.Normal(9, 48), [12, 4]);

        var there = pattern.Sum(values, layout).mul(grouped).sum();
        var back = pattern.Spread(grouped, layout).mul(values).sum();

        Close.Equal(there.ReadCpuDouble(0), back.ReadCpuDouble(0), Close.Float64);
        Assert.Equal(values.Values(), pattern.Spread(pattern.Sum(values, layout), layout).Values());
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.3, 0)]
    [InlineData(0.3334, 1)]
    [InlineData(0.6667, 2)]
    [InlineData(0.9999, 2)]
    [InlineData(1.0, 3)]
    public void Removed_OnTheRamp_GoesInWholeSteps(double fraction, long removed)
    {
        var pattern = NofM.Keep(1, of: 4);

        var steps = pattern.Removed(3, fraction);

        Assert.Equal(removed, steps);
    }

    [Fact]
    public void Removed_AtTheThirds_IsNotLostToRounding()
    {
        var pattern = NofM.Keep(1, of: 4);

        var steps = Enumerable.Range(0, 4).Select(third => pattern.Removed(3, third / 3.0));

        Assert.Equal([0, 1, 2, 3], steps);
    }

    [Fact]
    public void Removed_WhenNotGradual_IsTheTargetFromTheFirstPrunedEpochOn()
    {
        var pattern = NofM.Keep(1, of: 4) with { Gradual = false };

        var steps = new[] { 0, 1e-6, 0.5, 1 }.Select(fraction => pattern.Removed(3, fraction));

        Assert.Equal([0, 3, 3, 3], steps);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(-1, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(1, 1)]
    [InlineData(0, 0)]
    public void Keep_OfAPatternThatIsNone_Throws(int kept, int of) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NofM.Keep(kept, of));

    [Theory]
    [InlineData(5, 4, "kept", "Must be in [1, 4): 5:4 keeps 5 of 4 weights, and N is at least 1 and below M.")]
    [InlineData(4, 4, "kept", "Must be in [1, 4): 4:4 keeps 4 of 4 weights, and N is at least 1 and below M.")]
    [InlineData(0, 0, "of", "Must be in [2, ∞): 0:0 has groups of 0, and M is at least 2.")]
    public void Keep_OfAPatternThatIsNone_SaysWhatNAndMAre(int kept, int of, string name, string expected)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => NofM.Parse($"{kept}:{of}"));

        Assert.StartsWith($"{expected} (Parameter '{name}')", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfAName_GivesThePattern() => Assert.Equal(NofM.Keep(2, of: 8), NofM.Parse(NofM.Keep(2, of: 8).Name));

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("2:4:8")]
    [InlineData("2: 4")]
    [InlineData("-2:4")]
    [InlineData("two:four")]
    [InlineData("2:99999999999")]
    public void Parse_OfAnythingElse_SaysWhatAPatternLooksLike(string text) =>
        Assert.Contains(
            $"'{text}' is not an N:M pattern: write N weights kept of M, such as 2:4",
            Assert.Throws<FormatException>(() => NofM.Parse(text)).Message);

    [Fact]
    public void Keep_OfThreeOfFour_SaysWhatItIs()
    {
        var pattern = NofM.Keep(3, of: 4);

        Assert.Equal((3, 4, "3:4", 0.25, true), (pattern.Kept, pattern.Of, pattern.Name, pattern.FixedSparsity, pattern.Gradual));
        Assert.Equal(NofM.Keep(3, of: 4), pattern);
        Assert.NotEqual(NofM.Keep(1, of: 4), pattern);
    }

    [Theory]
    [InlineData(3, 8, false)]
    [InlineData(513, 4, false)]
    [InlineData(512, 4, true)]
    public void UnsupportedReason_OfInputsThatAreNotDivisible_NamesBoth(long inputs, int of, bool fits)
    {
        var refusal = NofM.Keep(1, of).UnsupportedReason(new WeightLayout([2, inputs]));

        Assert.Equal(fits ? null : $"{inputs} inputs are not divisible by {of}", refusal);
    }

    [Fact]
    public void UnsupportedReason_OfAGroupedTransposedConvolution_CountsTheInputsOfOneGroup()
    {
        using var module = ConvTranspose2d(16, 8, 3, groups: 4);
        var layout = LayerScan.LayoutOf(module, module.weight!);

        var refusal = NofM.Keep(4, of: 8).UnsupportedReason(layout);

        Assert.Equal("4 inputs are not divisible by 8", refusal);
        Assert.Null(NofM.Keep(2, of: 4).UnsupportedReason(layout));
    }
}
