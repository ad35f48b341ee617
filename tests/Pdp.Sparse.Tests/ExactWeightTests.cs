using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Every bit of a weight comes back, and what is kept for that is small.</summary>
public sealed class ExactWeightTests
{
    [Theory]
    [InlineData(LayerForm.Packed, false)]
    [InlineData(LayerForm.Packed, true)]
    [InlineData(LayerForm.Folded, true)]
    [InlineData(LayerForm.ChannelsLast, true)]
    public void Unpack_WhenWeightIsOdd_GivesEveryBitBack(LayerForm form, bool isFolded)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var (weight, norm) = (((TorchSharp.Modules.Conv2d)model[0]).weight, (TorchSharp.Modules.BatchNorm2d)model[1]);
        weight[1] = weight[1].neg();
        weight[2, 0] = zeros(3, 3).neg();
        weight[3, 1] = float.NaN;
        weight[3, 2] = BitConverter.UInt32BitsToSingle(0xFFC12345);
        weight[4, 0] = 1e-42f;
        weight[4, 1] = float.PositiveInfinity;
        norm.weight[5] = 0;
        norm.weight[6] = 1e30f;
        norm.weight[7] = -1e-30f;
        var before = Pruned.Bits(model);

        SparseModel.Pack(model, Plan(form, isFolded ? "1" : null)).Dispose();

        Assert.Equal(before, Pruned.Bits(model));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unpack_WhenZerosAreNegative_GivesEveryBitBack(bool isFolded)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        var weight = ((TorchSharp.Modules.Conv2d)model[0]).weight;
        weight.copy_(where(weight.eq(zeros(1)), zeros(1).neg(), weight));
        var before = Pruned.Bits(model);

        using var packed = SparseModel.Pack(model, Plan(LayerForm.Packed, isFolded ? "1" : null));
        packed.Dispose();

        Assert.Equal(before, Pruned.Bits(model));
    }

    [Theory]
    [InlineData(LayerForm.Packed, 0.9, 0.2)]
    [InlineData(LayerForm.Packed, 0.95, 0.12)]
    [InlineData(LayerForm.Folded, 0.0, 1.08)]
    public void Bytes_WhenWeightIsPacked_AreFew(LayerForm form, double sparsity, double most)
    {
        using var scope = NewDisposeScope();
        using var model = Sequential(Conv2d(64, 128, 3), BatchNorm2d(128));
        using (no_grad())
            ((TorchSharp.Modules.BatchNorm2d)model[1]).weight.copy_(randn(128));
        Pruned.Prune(model, sparsity);

        using var packed = SparseModel.Pack(
            model, new SparsePlan([new() { Name = "0.weight", Shape = [128, 64, 3, 3], Form = form, Norm = "1" }]));

        Assert.InRange(packed.Report.Bytes / (double)packed.Report.DenseBytes, 0, most);
    }

    [Fact]
    public void Unpack_WhenWeightIsStrided_KeepsItsStrides()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Pruned.Prune(Conv2d(4, 6, 3), 0.5);
        model.weight = Parameter(model.weight.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
        var (strides, before) = (model.weight.stride(), Pruned.Bits(model));
        var expected = model.call(ones(1, 4, 5, 5));

        using (var packed = SparseModel.Pack(model, ones(1, 4, 5, 5), Pruned.Everything))
            Assert.True(Pruned.IsClose(model.call(ones(1, 4, 5, 5)), expected));

        Assert.Equal(strides, model.weight.stride());
        Assert.Equal(before, Pruned.Bits(model));
    }

    private static SparsePlan Plan(LayerForm form, string? norm) =>
        new([new() { Name = "0.weight", Shape = [8, 3, 3, 3], Form = form, Norm = norm }]);
}
