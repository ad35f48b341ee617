using System.Globalization;
using Pdp.Samples.ImageNet.Data;
using Pdp.Training;

namespace Pdp.Samples.ImageNet;

/// <summary>The value of <c>--data</c>.</summary>
internal static class DataOption
{
    private const string Drawn = "synthetic";

    /// <summary>Batches to train on and batches to measure the accuracy with; the caller's.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="collective">The ranks, of which each reads its share.</param>
    /// <param name="report">Called with a line about each picture that can't be read.</param>
    /// <exception cref="ArgumentException">Nothing is given, or what is given is neither a folder nor a number of pictures to
    /// draw.</exception>
    /// <exception cref="IOException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">The folder holds other things than pictures in class folders.</exception>
    public static (IPictureBatches Training, IPictureBatches Validation) Open(
        Settings settings, ICollective collective, Action<string> report) =>
        settings.Data switch
        {
            null => throw new ArgumentException(
                "--data needs the folder of ImageNet, with train and val in it, or synthetic:1024 for so many drawn pictures."),
            var data when Directory.Exists(data) => OfFolder(data, settings, collective, report),
            var data when File.Exists(data) => throw new ArgumentException(
                $"--data needs the folder that holds train/<class>/* and val/<class>/*, and '{data}' is a file: "
                    + "unpack it, if it is an archive."),
            var data when data.Split(':') is [var word, ..] && NearName.Of(word, [Drawn]) is not null =>
                OfCount(data, settings, collective),
            var data => throw new DirectoryNotFoundException(
                $"There is no folder '{data}': "
                    + "--data needs the one that holds train/<class>/* and val/<class>/*, or synthetic:1024 for so many drawn pictures."),
        };

    private static (IPictureBatches Training, IPictureBatches Validation) OfFolder(
        string folder, Settings settings, ICollective collective, Action<string> report)
    {
        var workers = settings.Workers ?? Ranks.Cores(collective);
        var (part, share) = (settings.PartOn(collective.Size), new Share(collective.Rank, collective.Size));
        var data = ImageNetData.Open(folder, settings.Limit);
        return data.Train.Classes.Count <= settings.Classes
            ? (PictureLoader.Training(data.Train, part, settings.Seed, workers, report, settings.Side, share),
                PictureLoader.Validation(data.Validation, part, workers, report, settings.Side, resized: settings.Side * 8 / 7, share))
            : throw new ArgumentException(
                $"'{folder}' has {data.Train.Classes.Count} classes, the network {settings.Classes}: raise --classes.");
    }

    private static (IPictureBatches Training, IPictureBatches Validation) OfCount(
        string data, Settings settings, ICollective collective)
    {
        if (data.Split(':') is not [Drawn, var text]
            || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pictures) || pictures == 0)
        {
            throw new ArgumentException(
                $"--data {data}: for drawn pictures write synthetic:COUNT with a whole number of at least 1, such as synthetic:1024.");
        }

        return (Synthetic(settings, collective, pictures, isTraining: true),
            Synthetic(settings, collective, Math.Max(pictures / 4, 1), isTraining: false));
    }

    private static SyntheticBatches Synthetic(Settings settings, ICollective collective, int pictures, bool isTraining) => new(
        pictures, settings.Classes, settings.PartOn(collective.Size), settings.Side, settings.Seed, isTraining,
        new Share(collective.Rank, collective.Size));
}
