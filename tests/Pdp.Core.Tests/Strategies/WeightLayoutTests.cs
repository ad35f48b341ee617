namespace Pdp.Tests.Strategies;

public sealed class WeightLayoutTests
{
    [Fact]
    public void Constructor_WithAConvolution_KnowsInputsOutputsAndElements()
    {
        var layout = new WeightLayout([64, 16, 3, 3]);

        Assert.Equal((1, 0, 16, 9216), (layout.InputDimension, layout.OutputDimension, layout.Inputs, layout.Elements));
        Assert.Equal("[64, 16, 3, 3]", layout.ToString());
    }

    [Fact]
    public void Constructor_WithAGroupedTransposedConvolution_CountsTheInputsOfOneGroup()
    {
        var layout = new WeightLayout([16, 4, 3, 3], inputDimension: 0, connectionGroups: 2);

        Assert.Equal((0, 1, 8, 576), (layout.InputDimension, layout.OutputDimension, layout.Inputs, layout.Elements));
    }

    [Fact]
    public void Constructor_WithOneDimension_TakesItForBoth()
    {
        var layout = new WeightLayout([12]);

        Assert.Equal((0, 0, 12), (layout.InputDimension, layout.OutputDimension, layout.Inputs));
    }

    [Fact]
    public void Constructor_WithAnArrayThatChangesLater_KeepsTheShape()
    {
        long[] shape = [2, 3];
        var layout = new WeightLayout(shape);

        shape[0] = 7;

        Assert.Equal([2, 3], layout.Shape);
    }

    [Theory]
    [InlineData(new long[0])]
    [InlineData(new long[] { 4, 0 })]
    [InlineData(new long[] { -1, 4 })]
    public void Constructor_WithoutElements_ThrowsAndNamesTheShape(long[] shape)
    {
        var fault = Assert.Throws<ArgumentException>(() => new WeightLayout(shape));

        Assert.Contains($"[{string.Join(", ", shape)}]", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, 3)]
    public void Constructor_WithMeaningsThatDoNotFit_Throws(int inputDimension, long connectionGroups) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new WeightLayout([16, 4], inputDimension, connectionGroups));

    [Fact]
    public void Equals_ComparesShapeAndMeaning()
    {
        var layout = new WeightLayout([8, 8, 3]);

        Assert.Equal(new WeightLayout([8, 8, 3]), layout);
        Assert.Equal(new WeightLayout([8, 8, 3]).GetHashCode(), layout.GetHashCode());
        Assert.NotEqual(new WeightLayout([8, 8, 1]), layout);
        Assert.NotEqual(new WeightLayout([8, 8, 3], inputDimension: 0), layout);
        Assert.NotEqual(
            new WeightLayout([8, 8, 3], inputDimension: 0, connectionGroups: 2), new WeightLayout([8, 8, 3], inputDimension: 0));
    }
}
