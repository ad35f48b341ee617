using Pdp.Samples.ImageNet.Data;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>Batches that do something when so many have been taken.</summary>
internal sealed class StoppingBatches(IPictureBatches batches, int after, Action act) : IPictureBatches
{
    private int _taken;

    public long Pictures => batches.Pictures;

    public int Count => batches.Count;

    public IEnumerable<PictureBatch> Epoch(int epoch, int first = 0)
    {
        foreach (var batch in batches.Epoch(epoch, first))
        {
            if (_taken++ == after)
            {
                act();
            }

            yield return batch;
        }
    }

    public void Dispose()
    {
    }
}
