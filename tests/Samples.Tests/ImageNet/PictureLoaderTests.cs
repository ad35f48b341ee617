using Pdp.Samples.ImageNet.Data;
using static Pdp.Samples.Tests.ImageNet.PictureBatches;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class PictureLoaderTests : IDisposable
{
    private const int Side = 16;
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _reports = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Epoch_WhenTrained_HoldsEachPictureOnceInAnotherOrder()
    {
        using var loader = Training(each: 8);

        var (first, second) = (Read(loader, 0), Read(loader, 1));

        Assert.Equal((24, 6), (loader.Pictures, loader.Count));
        Assert.Equal(Enumerable.Range(0, 24).Select(i => i / 8L), Labels(first).Order());
        Assert.NotEqual(Labels(first).Order(), Labels(first));
        Assert.NotEqual(Labels(first), Labels(second));
    }

    [Fact]
    public void Epoch_WhenTrained_LeavesOutWhatFillsNoBatch()
    {
        using var loader = Training(each: 7);

        Assert.Equal((21, 5), (loader.Pictures, loader.Count));
        Assert.Equal([4, 4, 4, 4, 4], Read(loader, 0).Select(batch => batch.Labels.Length));
        Assert.Equal(0, loader.Rented);
    }

    [Fact]
    public void Epoch_OfTwoRanks_HasTogetherTheBatchesOfOne()
    {
        var folder = Folder();
        using var whole = PictureLoader.Training(folder, 4, 7, workers: 2, _reports.Add, Side);
        using var first = PictureLoader.Training(folder, 2, 7, workers: 2, _reports.Add, Side, new Share(0, 2));
        using var second = PictureLoader.Training(folder, 2, 7, workers: 2, _reports.Add, Side, new Share(1, 2));

        var (expected, rounds) = (Read(whole, 1), Read(first, 1).Zip(Read(second, 1)).ToArray());

        Assert.Equal(3, first.Count);
        Assert.Equal(expected.Select(batch => batch.Pixels), rounds.Select(
            round => (float[])[.. round.First.Pixels, .. round.Second.Pixels]));
        Assert.Equal(Read(first, 1)[2].Pixels, first.Epoch(1, 2)
            .Select(batch => { using (batch) return batch.Pixels.ToArray(); }).Single());
    }

    [Fact]
    public void Epoch_WhenValidated_KeepsTheFoldersOrder()
    {
        var folder = Folder();
        using var loader = PictureLoader.Validation(folder, 5, workers: 2, _reports.Add, Side, resized: 20);
        using var reader = new PictureReader(new ResizedCentre(Side, 20));
        var expected = new float[Side * Side * 3];
        reader.Read(folder.PathOf(6), default, expected);

        var batches = Read(loader, 0);

        Assert.Equal([0L, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], Labels(batches));
        Assert.Equal(expected, batches[1].Pixels[expected.Length..(2 * expected.Length)]);
    }

    [Fact]
    public void Epoch_WhenWorkersDiffer_IsTheSame()
    {
        using var one = Training(workers: 1);
        using var three = Training(workers: 3);
        using var other = Training(seed: 8);

        var expected = Read(one, 2);

        AssertEqual(expected, Read(three, 2));
        Assert.NotEqual(expected[0].Pixels, Read(other, 2)[0].Pixels);
    }

    [Fact]
    public void Epoch_WhenBegunInTheMiddle_GoesOnAsTheWholeDoes()
    {
        using var loader = Training(each: 7);
        var expected = Read(loader, 3);

        AssertEqual(expected[2..], Read(loader, 3, first: 2));
        Assert.Empty(Read(loader, 3, first: 5));
        Assert.Throws<ArgumentOutOfRangeException>("first", () => loader.Epoch(3, first: 6));
        Assert.Throws<ArgumentOutOfRangeException>("epoch", () => loader.Epoch(-1));
    }

    [Fact]
    public void Epoch_WhenCropsAreDrawn_DifferFromEpochToEpoch()
    {
        using var loader = Training(Folder(classes: 1, each: 1), batch: 1);

        Assert.NotEqual(Read(loader, 0)[0].Pixels, Read(loader, 1)[0].Pixels);
    }

    [Fact]
    public void Epoch_WhenAPictureIsDamaged_TakesTheNextAndSaysSoOnce()
    {
        var folder = Folder();
        using var loader = PictureLoader.Validation(folder, 4, workers: 2, _reports.Add, Side, resized: 20);
        var whole = Read(loader, 0);
        File.WriteAllText(folder.PathOf(3), "not a readable picture");

        var batches = Read(loader, 1);
        var again = Read(loader, 2);

        var report = Assert.Single(_reports);
        Assert.Contains($"'{folder.PathOf(3)}' is not a readable picture", report, StringComparison.Ordinal);
        Assert.Equal([0L, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2], Labels(batches));
        Assert.Equal(whole[1].Pixels[..(Side * Side * 3)], batches[0].Pixels[(3 * Side * Side * 3)..]);
        AssertEqual(whole[1..], batches[1..]);
        AssertEqual(batches, again);
    }

    [Fact]
    public void Epoch_WhenMoreThanAFewAreDamaged_ThrowsAndNamesThem()
    {
        var folder = Folder();
        using var loader = Training(folder);
        File.WriteAllBytes(folder.PathOf(3), File.ReadAllBytes(folder.PathOf(3))[..^100]);
        File.WriteAllText(folder.PathOf(7), "not a readable picture");

        var fault = Assert.Throws<InvalidDataException>(() => Read(loader, 0));

        Assert.Single(_reports);
        Assert.Contains(folder.PathOf(3), fault.Message, StringComparison.Ordinal);
        Assert.Contains(folder.PathOf(7), fault.Message, StringComparison.Ordinal);
        Assert.Equal(0, loader.Rented);
    }

    [Fact]
    public void Epoch_WhenTheOnlyPictureIsDamaged_Throws()
    {
        var folder = Folder(classes: 1, each: 1);
        using var loader = Training(folder, batch: 1);
        File.WriteAllText(folder.PathOf(0), "not a readable picture");

        Assert.Throws<InvalidDataException>(() => Read(loader, 0));
    }

    [Fact]
    public void Epoch_WhenAFileIsGone_ThrowsWhereItIsEnumerated()
    {
        var folder = Folder();
        using var loader = Training(folder, workers: 3);
        File.Delete(folder.PathOf(5));

        Assert.Throws<FileNotFoundException>(() => Read(loader, 0));
        Assert.Equal(0, loader.Rented);
    }

    [Fact]
    public void Epoch_WhenLeftEarly_GivesItsMemoryBack()
    {
        using var loader = Training(each: 100, workers: 3);

        foreach (var batch in loader.Epoch(0))
        {
            batch.Dispose();
            break;
        }

        Assert.Equal(0, loader.Rented);
        Assert.Equal(75, Read(loader, 0).Length);
    }

    [Fact]
    public void Epoch_WhenNothingIsTaken_PreparesSoMuchAndNoMore()
    {
        using var loader = Training(each: 100, workers: 3);
        using var batches = loader.Epoch(0).GetEnumerator();
        batches.MoveNext();

        Assert.True(SpinWait.SpinUntil(() => loader.Rented == 1 + PictureLoader.Ahead, TimeSpan.FromMinutes(2)));
        Thread.Sleep(100);

        Assert.Equal(1 + PictureLoader.Ahead, loader.Rented);
        batches.Current.Dispose();
    }

    [Fact]
    public void Epoch_WhenAnotherIsUnderWay_Throws()
    {
        using var loader = Training();
        using var batches = loader.Epoch(0).GetEnumerator();
        batches.MoveNext();

        Assert.Throws<InvalidOperationException>(() => Read(loader, 1));

        batches.Current.Dispose();
        batches.Dispose();
        Assert.Equal(3, Read(loader, 1).Length);
    }

    [Fact]
    public void Dispose_WhenAnEpochIsUnderWay_StopsIt()
    {
        var loader = Training(each: 100, workers: 2);
        using var batches = loader.Epoch(0).GetEnumerator();
        batches.MoveNext();
        batches.Current.Dispose();

        loader.Dispose();

        Assert.Throws<ObjectDisposedException>(() => batches.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => loader.Epoch(0));
        Assert.Equal(0, loader.Rented);
    }

    // Apart from what an epoch takes; a picture of this side has 3 KB of numbers, one of 224 has 602.
    [Fact]
    public void Epoch_WhenRepeated_LeavesLittleGarbage()
    {
        using var loader = Training(each: 100, workers: 2);
        Read(loader, 0, keep: false);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        Read(loader, 1, keep: false);

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 300 * 2000);
    }

    private ImageFolder Folder(int classes = 3, int each = 4)
    {
        var path = _folder.File($"{classes} {each}");
        return ImageFolder.Open(Directory.Exists(path) ? path : Photos.Folder(path, classes, each));
    }

    private PictureLoader Training(int classes = 3, int each = 4, int workers = 2, long seed = 7) =>
        PictureLoader.Training(Folder(classes, each), 4, seed, workers, _reports.Add, Side);

    private PictureLoader Training(ImageFolder folder, int workers = 2, int batch = 4) =>
        PictureLoader.Training(folder, batch, seed: 7, workers, _reports.Add, Side);
}
