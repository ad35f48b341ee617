using Pdp.Samples.ImageNet.Data;
using Pdp.Samples.ImageNet.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class PictureTensorsTests
{
    [Fact]
    public void Of_ABatchInLargerMemory_HasItsNumbersWithChannelsFirst()
    {
        using var scope = NewDisposeScope();
        float[] memory = [.. Enumerable.Range(0, 100)];
        using var batch = new PictureBatch(memory, [5, 7, 9], 2, 2, (_, _) => { });

        var (pictures, labels) = PictureTensors.Of(batch, CPU);
        Array.Clear(memory);

        // Picture 1, channel 2: every third number of the second dozen.
        Assert.Equal([2, 3, 2, 2], pictures.shape);
        Assert.Equal([14f, 17, 20, 23], pictures[1][2].contiguous().data<float>().ToArray());
        Assert.Equal([5L, 7], labels.data<long>().ToArray());
    }
}
