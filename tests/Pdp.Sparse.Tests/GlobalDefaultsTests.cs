using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests;

/// <summary>The types and devices are those of the model, whatever torch makes new tensors of.</summary>
public sealed class GlobalDefaultsTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(ScalarType.Float64, "cpu")]
    [InlineData(ScalarType.BFloat16, "cpu")]
    [InlineData(ScalarType.Float32, "meta")]
    public void PackSaveAndLoad_UnderOtherDefaults_AreTheSame(ScalarType type, string device)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        using var other = Nets.Convolutions();
        var (picture, before) = (Nets.Picture(), Pruned.Bits(model));
        var expected = model.call(picture);
        var (dtype, place) = (get_default_dtype(), get_default_device());
        set_default_dtype(type);
        set_default_device(new Device(device));
        try
        {
            SparseFile.Save(model, _path);
            using (var packed = SparseModel.Pack(model, () => model.call(picture), Pruned.Everything))
            {
                Assert.All(packed.Report.Layers, layer => Assert.Equal((LayerForm.Packed, "included"), (layer.Form, layer.Reason)));
                Assert.True(Pruned.IsClose(model.call(picture), expected));
                using var loaded = SparseModel.Load(other, _path, packed.Plan);
                Assert.True(Pruned.IsClose(other.call(picture), expected));
            }

            Assert.Equal(before, Pruned.Bits(model));
            Assert.Equal(before, Pruned.Bits(other));
        }
        finally
        {
            set_default_dtype(dtype);
            set_default_device(place);
        }
    }
}
