namespace Pdp.Samples.Cifar10;

/// <summary>Reads the official binary form: records of one label and 3072 bytes, in data_batch_1 … 5.bin and test_batch.bin.</summary>
internal static class BinaryBatches
{
    private const int RecordSize = 1 + ImageSet.PictureSize;
    private const int TrainingFiles = 5;

    public static bool Recognise(IReadOnlyList<DataFile> files) =>
        files.Any(file => file.Name.EndsWith("_batch.bin", StringComparison.Ordinal)) || files.Any(IsTrainingBatch);

    public static Cifar10Data Read(IReadOnlyList<DataFile> files, string source)
    {
        var train = files.Where(IsTrainingBatch).OrderBy(file => file.Name, StringComparer.Ordinal).ToArray();
        var test = files.Where(file => Path.GetFileName(file.Name) == "test_batch.bin").ToArray();
        if (train.Length != TrainingFiles || test.Length != 1)
        {
            throw new InvalidDataException(
                $"'{source}' has {train.Length} files data_batch_*.bin and {test.Length} test_batch.bin; five and one are expected. "
                + Cifar10Download.Hint);
        }

        return new Cifar10Data(Read(train), Read(test));
    }

    private static bool IsTrainingBatch(DataFile file) =>
        Path.GetFileName(file.Name).StartsWith("data_batch_", StringComparison.Ordinal);

    private static ImageSet Read(DataFile[] files)
    {
        var batches = files.Select(ReadRecords).ToArray();
        var count = batches.Sum(batch => batch.Length / RecordSize);
        var pixels = new byte[count * ImageSet.PictureSize];
        var labels = new byte[count];
        var index = 0;
        foreach (var record in batches.SelectMany(batch => batch.Chunk(RecordSize)))
        {
            labels[index] = record[0];
            record.AsSpan(1).CopyTo(pixels.AsSpan(index++ * ImageSet.PictureSize));
        }

        return new ImageSet(pixels, labels);
    }

    private static byte[] ReadRecords(DataFile file)
    {
        var bytes = file.Read();
        if (bytes.Length == 0 || bytes.Length % RecordSize != 0)
        {
            throw new InvalidDataException(
                $"'{file.Name}' is {bytes.Length} bytes long, not a multiple of {RecordSize}; it is truncated. {Cifar10Download.Hint}");
        }

        for (var i = 0; i < bytes.Length; i += RecordSize)
        {
            if (bytes[i] >= Cifar10Classes.Names.Count)
            {
                throw new InvalidDataException(
                    $"'{file.Name}' has the label {bytes[i]} in record {i / RecordSize}; CIFAR-10 has ten classes. {Cifar10Download.Hint}");
            }
        }

        return bytes;
    }
}
