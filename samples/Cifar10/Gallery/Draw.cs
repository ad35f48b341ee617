using Pdp.Training;

namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>Draws the pictures that the pages show, from a run and from the pages' own tables.</summary>
internal static class Draw
{
    public static int Run(IReadOnlyList<string> arguments)
    {
        var settings = CommandLine.Parse<GallerySettings>(arguments);
        Write("accuracy.svg", AccuracyPicture.Of(Page("samples/Cifar10/COMPARISON.md")).ToFile());
        Write("cost.svg", CostPicture.Of(Page("bench/README.md")).ToFile());
        if (settings.Run is { } run)
        {
            Write("masks.svg", MaskPicture.Of(run).ToFile());
            Write("layers.svg", LayerPicture.Of(run).ToFile());
        }

        return 0;

        string Page(string path) => File.ReadAllText(Path.Combine(settings.Repository, path));

        void Write(string name, string picture)
        {
            var path = Path.Combine(settings.Out, name);
            AtomicFile.WriteText(path, picture);
            Console.WriteLine(path);
        }
    }
}
