using Pdp.Masking;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

public sealed class BatchPlanTests
{
    [Fact]
    public void Of_OnTheCpu_MakesNoBatches()
    {
        using var model = new MaskedModel(BatchLayers.Model("unstructured", ScalarType.Float64, "0.25", null));

        Assert.Empty(BatchPlan.Of(model.Layers.Select(layer => layer.Group)));
    }

    [Fact]
    public void Of_OnADevice_JoinsWhatIsAlikeUpToASize()
    {
        var device = new Device(TorchSharp.DeviceType.META);
        PrunedLayer Make(string name, long size, IMaskStrategy strategy, ScalarType type = ScalarType.Float32)
        {
            var mask = new PdpMask(name, new([size, 8]), strategy, Temperature.Relative(0.25));
            return new(new(mask, new GroupSlices(mask, new Parameter(empty([size, 8], type, device)))), Rule: null);
        }

        var single = new Unstructured();
        using var model = new MaskedModel(
            [
                Make("a", 10, single), Make("b", 5, single), Make("n", 5, NofM.Keep(2, of: 4)), Make("c", 6, single),
                Make("big", 100, single), Make("d", 1, single), Make("h", 1, single, ScalarType.BFloat16), Make("ch", 8, new PerChannel()),
                Make("n2", 5, NofM.Keep(2, of: 4)),
            ],
            []);

        var batches = BatchPlan.Of(model.Layers.Select(layer => layer.Group), mostElements: 120);

        var names = batches.Select(batch => string.Join(' ', batch.Select(group => group.Mask.Name)));
        Assert.Equal(["a b", "c", "big", "d", "n n2", "h"], names);
    }
}
