using System.Diagnostics;
using Pdp.Samples.ImageNet.Data;
using SkiaSharp;

namespace Pdp.Benchmarks;

/// <summary>The ImageNet sample's pictures, ready for the network, against bare decoding of the same files; one thread each.</summary>
internal static class PicturesBenchmark
{
    private const int Batch = 32;

    public static void Measure(Run run)
    {
        var folder = run.Data ?? throw new ArgumentException("--data DIR with train/<class>/* and val/<class>/* is needed.");
        var data = ImageNetData.Open(folder);
        using var training = PictureLoader.Training(data.Train, Batch, seed: 0, workers: 1, Console.Error.WriteLine);
        using var validation = PictureLoader.Validation(data.Validation, Batch, workers: 1, Console.Error.WriteLine);
        if (run.Wants("train"))
            MeasureSpeed("train", data.Train, training, run);
        if (run.Wants("val"))
            MeasureSpeed("val", data.Validation, validation, run);
        if (run.Wants("memory"))
            MeasureMemory(training, run);
    }

    private static void MeasureSpeed(string part, ImageFolder folder, PictureLoader loader, Run run)
    {
        var epoch = 0;
        var rounds = 0;
        var medians = Alternation.Medians(
            101,
            run.Budget(quick: 5, full: 40),
            () => Alternation.Time(() => Read(loader, epoch++)),
            () => Alternation.Time(() => DecodeAll(folder, ref rounds)));
        // Training leaves out what fills no batch.
        var (read, decoded) = (1000 * Math.Min(folder.Count, loader.Count * Batch) / medians[0], 1000 * folder.Count / medians[1]);
        Line.Write(
            "pictures",
            ("part", part),
            ("pictures", folder.Count),
            ("rounds", rounds - 1),
            ("threads", 1),
            ("pictures_per_second", read),
            ("decoded_per_second", decoded),
            ("over_decoding", read / decoded));
    }

    /// <summary>Resident memory at every tenth of the way.</summary>
    private static void MeasureMemory(PictureLoader loader, Run run)
    {
        var epochs = (int)((run.IsQuick ? 2_000 : 50_000) / loader.Pictures) + 1;
        for (var epoch = 0; epoch < 4; epoch++)
            Read(loader, epoch);
        var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
        var resident = new List<long> { Environment.WorkingSet >> 20 };
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            Read(loader, epoch);
            if ((epoch + 1) * 10 / epochs > epoch * 10 / epochs)
                resident.Add(Environment.WorkingSet >> 20);
        }

        var pictures = epochs * loader.Pictures;
        Line.Write(
            "pictures-memory",
            ("pictures", pictures),
            ("pictures_per_second", pictures / Stopwatch.GetElapsedTime(start).TotalSeconds),
            ("managed_bytes_per_picture", (GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)pictures),
            ("collections", GC.CollectionCount(0)),
            ("resident_mib", resident));
    }

    private static void Read(PictureLoader loader, int epoch)
    {
        foreach (var batch in loader.Epoch(epoch))
            batch.Dispose();
    }

    private static void DecodeAll(ImageFolder folder, ref int rounds)
    {
        rounds++;
        for (var i = 0; i < folder.Count; i++)
        {
            using var codec = SKCodec.Create(folder.PathOf(i));
            using var bitmap = SKBitmap.Decode(codec, new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888));
        }
    }
}
