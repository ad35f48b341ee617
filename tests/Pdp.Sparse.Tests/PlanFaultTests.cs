using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests;

/// <summary>Plans that contradict themselves, as those that were edited by hand may.</summary>
public sealed class PlanFaultTests
{
    private static readonly SparseLayerPlan First = new() { Name = "0.weight", Shape = [8, 3, 3, 3], Form = LayerForm.Packed };
    private static readonly SparseLayerPlan Second = new() { Name = "3.weight", Shape = [16, 8, 3, 3], Form = LayerForm.Packed };

    [Fact]
    public void Plan_WhenSomethingIsNull_SaysWhat()
    {
        Assert.Equal("Layers", Assert.Throws<ArgumentNullException>(() => new SparsePlan(null!)).ParamName);
        Assert.Equal("Layers", Assert.Throws<ArgumentNullException>(() => new SparsePlan([]) with { Layers = null! }).ParamName);
        Assert.Contains(
            "a layer that is null",
            Assert.Throws<ArgumentException>(() => new SparsePlan([First, null!])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "a layer that is null",
            Assert.Throws<ArgumentException>(() => SparsePlan.FromJson("""{"layers": [null]}""")).Message,
            StringComparison.Ordinal);
        Assert.Equal("Name", Assert.Throws<ArgumentNullException>(() => First with { Name = null! }).ParamName);
        Assert.Equal("Shape", Assert.Throws<ArgumentNullException>(() => First with { Shape = null! }).ParamName);
    }

    [Fact]
    public void Plan_WhenALayerComesTwice_NamesIt()
    {
        var fault = Assert.Throws<ArgumentException>(() => new SparsePlan([First, Second, First with { Form = LayerForm.Folded }]));

        Assert.Contains("The plan has '0.weight' more than once.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_WhenTwoLayersTakeOneNorm_NamesThem()
    {
        var fault = Refused(
            First with { Norm = "1" }, new() { Name = "2.weight", Shape = [8, 8, 1, 1], Form = LayerForm.Packed, Norm = "1" });

        Assert.Contains("'2.weight': '1' is folded into '0.weight' already", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9", null, "'0.weight': the model has no module '9' that can be folded into it there; it has '1'.")]
    [InlineData("3", null, "'0.weight': the model has no module '3' that can be folded into it there; it has '1'.")]
    [InlineData(null, "1", "'0.weight': the model has no module '1' that can be folded into it there; it has '3'.")]
    public void Pack_WhenAModuleCannotBeFolded_ListsThoseThatCan(string? norm, string? activation, string expected) =>
        Assert.Contains(expected, Refused(First with { Norm = norm, Activation = activation }), StringComparison.Ordinal);

    /// <summary>The message for a plan of a model of two convolutions, a norm behind the first one, and an activation.</summary>
    private static string Refused(params SparseLayerPlan[] layers)
    {
        using var model = Pruned.Prune(
            nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1), nn.ReLU(), nn.BatchNorm2d(9)), 0.5);
        var before = Pruned.Bits(model);

        var fault = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, new SparsePlan(layers)));

        Assert.Equal(before, Pruned.Bits(model));
        return fault.Message;
    }
}
