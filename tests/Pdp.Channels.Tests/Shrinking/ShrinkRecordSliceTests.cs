using Pdp.Tests.Support;
using static Pdp.Tests.Channels.Shrinking.ShrinkRecordTests;
using static TorchSharp.torch;

namespace Pdp.Tests.Channels.Shrinking;

public sealed class ShrinkRecordSliceTests
{
    [Fact]
    public void Slice_CutsWhatGoesWithAParameterAsTheParameterWas()
    {
        using var model = Model();
        using var weight = model.get_parameter("linear2.weight")!.detach().clone();

        using var slice = Good.Slice(weight, "linear2.weight");

        Good.Apply(model);
        Assert.Equal(model.get_parameter("linear2.weight")!.shape, slice.shape);
        Assert.Equal(model.get_parameter("linear2.weight")!.Bits(), slice.Bits());
    }

    [Fact]
    public void Slice_OfANameThatWasNotCut_ListsThoseThatWere()
    {
        using var tensor = zeros(5, 18);

        var fault = Assert.Throws<ArgumentException>(() => Good.Slice(tensor, "linear3.weight"));

        Assert.Contains("'linear3.weight'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("linear1.bias, linear1.weight, linear2.weight", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slice_OfATensorOfAnotherShape_NamesBothShapes()
    {
        using var tensor = zeros(4, 14);

        var fault = Assert.Throws<ArgumentException>(() => Good.Slice(tensor, "linear1.weight"));

        Assert.Contains("[4, 14]", fault.Message, StringComparison.Ordinal);
        Assert.Contains("[24, 14]", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slice_BesideAHugeGroupOfSomethingElse_AllocatesNothingForIt()
    {
        var huge = Rows with { Name = "elsewhere" };
        var record = Good with
        {
            Groups = [.. Good.Groups, new(new("elsewhere", 1 << 22, [huge]), [0])],
            Shapes = new Dictionary<string, IReadOnlyList<long>>(Good.Shapes) { ["elsewhere"] = [1 << 22] },
        };
        using var bias = zeros(24);
        var bytes = GC.GetAllocatedBytesForCurrentThread();

        record.Slice(bias, "linear1.bias").Dispose();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 1_000_000);
    }

    [Fact]
    public void Slice_LeavesNoTensors()
    {
        using var tensor = zeros(24, 14);

        Leaks.None(() => Good.Slice(tensor, "linear1.weight").Dispose());
    }
}
