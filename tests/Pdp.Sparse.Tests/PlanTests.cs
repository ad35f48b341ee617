using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests;

/// <summary>Saves and repeats the choices of a packing.</summary>
public sealed class PlanTests
{
    [Fact]
    public void Pack_WhenPlanIsGiven_RepeatsTheChoicesWithoutAnExample()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var expected = model.call(Nets.Picture());
        string json;
        IReadOnlyList<LayerForm> forms;
        using (var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything))
            (json, forms) = (packed.Plan.ToJson(), [.. packed.Report.Layers.Select(layer => layer.Form)]);

        using var again = SparseModel.Pack(model, SparsePlan.FromJson(json));

        Assert.Equal(forms, again.Report.Layers.Select(layer => layer.Form));
        Assert.Equal(json, again.Plan.ToJson());
        Assert.Null(again.Report.PackedMilliseconds);
        Assert.True(Pruned.IsClose(model.call(Nets.Picture()), expected));
    }

    [Fact]
    public void Pack_WhenOptionsHoldAPlan_DoesNotRunTheModel()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var plan = new SparsePlan([new() { Name = "8.weight", Shape = [4, 16], Form = LayerForm.Packed }]);

        using var packed = SparseModel.Pack(model, () => throw new TimeoutException(), new SparseOptions { Plan = plan });

        Assert.Equal([LayerForm.Dense, LayerForm.Dense, LayerForm.Packed], packed.Report.Layers.Select(layer => layer.Form));
    }

    [Fact]
    public void Pack_WhenOptionsHoldAPlanAndAnotherChoice_SaysThatThePlanChooses()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var options = new SparseOptions { Plan = new([new() { Name = "8.weight", Shape = [4, 16], Form = LayerForm.Packed }]) };
        SparseOptions[] wrong =
        [
            options with { Include = ["8"] }, options with { Exclude = ["8"] }, options with { Fold = false },
            options with { ChannelsLast = false },
        ];

        Assert.All(wrong, other => Assert.Contains(
            "A plan says which weights are packed",
            Assert.Throws<ArgumentException>("options", () => SparseModel.Pack(model, Nets.Picture(), other)).Message,
            StringComparison.Ordinal));
        SparseModel.Pack(model, Nets.Picture(), options with { MaximumSeconds = 1 }).Dispose();
    }

    [Theory]
    [InlineData("9.weight", 4, 16, LayerForm.Packed, null, "the model has no such weight; it has 0.weight, 3.weight, 8.weight")]
    [InlineData("8.weight", 4, 17, LayerForm.Packed, null, "its shape is [4, 16], not [4, 17]")]
    [InlineData("8.weight", 4, 16, LayerForm.Packed, "1", "no module '1' that can be folded")]
    [InlineData("8.weight", 4, 16, LayerForm.Dense, null, "it can't have the form Dense")]
    [InlineData("8.weight", 4, 16, LayerForm.ChannelsLast, null, "it can't have the form ChannelsLast")]
    public void Pack_WhenPlanIsForAnotherModel_SaysWhereItDiffers(
        string name, long rows, long columns, LayerForm form, string? norm, string fault)
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        var before = Pruned.Bits(model);
        var plan = new SparsePlan([new() { Name = name, Shape = [rows, columns], Form = form, Norm = norm }]);

        var thrown = Assert.Throws<ArgumentException>(() => SparseModel.Pack(model, plan));

        Assert.Contains(fault, thrown.Message, StringComparison.Ordinal);
        Assert.Equal(before, Pruned.Bits(model));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"layers": [{"name": "a", "shape": [1], "form": "Fastest"}]}""")]
    [InlineData("""{"layers": [{"name": "a", "shape": [1], "form": "Packed", "speed": 3}]}""")]
    public void FromJson_WhenJsonIsDamaged_SaysSo(string json)
    {
        var fault = Assert.Throws<ArgumentException>(() => SparsePlan.FromJson(json));

        Assert.Contains("The plan is damaged", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_WhenWritten_HoldsItsRows()
    {
        using var scope = NewDisposeScope();
        using var model = Nets.Convolutions();
        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);

        Assert.Contains("\"reason\": \"included\"", packed.Report.ToJson(), StringComparison.Ordinal);
        Assert.Contains("0.weight", packed.Report.ToString(), StringComparison.Ordinal);
        Assert.Contains("by zeros", packed.Report.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void MaximumSeconds_WhenOutOfRange_Throws(double seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>("MaximumSeconds", () => new SparseOptions { MaximumSeconds = seconds });
}
