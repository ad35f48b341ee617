using Pdp.Samples.Cifar10.Gallery;
using Pdp.Samples.Cifar10.Scanning;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Cifar10;

/// <summary>The texts of <c>--help</c>.</summary>
internal static class Usage
{
    private const string Program = "dotnet run -c Release --project samples/Cifar10 --";

    /// <summary>What a command line that asks for help gets.</summary>
    public static string Of(IReadOnlyList<string> arguments) =>
        arguments.Contains("compare") ? Compare()
            : arguments.Contains("gallery") ? Gallery()
            : arguments.Contains("sensitivity") ? Sensitivity()
            : Run();

    private static string Run() => new Help
    {
        Usage = Program,
        Text = "Trains ResNet-20 on CIFAR-10, dense or pruned while it trains, and reports the accuracy. "
            + "An epoch takes about three minutes on one core.",
        Verbs =
        [
            ("compare", "Runs several methods on the same work and writes tables and charts; 'compare --help' shows its options."),
            ("sensitivity", "Prunes each layer of a trained network alone and shows the cost; 'sensitivity --help' shows its options."),
            ("gallery", "Draws the pictures of the repository's pages; 'gallery --help' shows its options."),
        ],
        Examples =
        [
            $"{Program} --download --method pdp --sparsity 0.9",
            $"{Program} --data cifar10 --method pdp --epochs 4",
        ],
    }.For<Settings>();

    private static string Compare() => CompareHelp.Of(Program, "--data cifar10 --weights w.safetensors");

    private static string Sensitivity() => new Help
    {
        Usage = $"{Program} sensitivity",
        Text = "Prunes each layer of a trained network alone, without training, and prints the accuracy at each level of sparsity. "
            + "One level of one layer takes two to three seconds on one core.",
        Examples = [$"{Program} sensitivity --data cifar10 \\\n      --weights w.safetensors --out runs/scan"],
    }.For<ScanSettings>();

    private static string Gallery() => new Help
    {
        Usage = $"{Program} gallery",
        Text = "Draws the pictures that the pages of the repository show: masks and layers from a finished run, "
            + "accuracy and cost from the pages' own tables.",
        Examples =
        [
            $"{Program} --data cifar10 --weights w.safetensors \\\n      --method pdp --limit 500 --out runs/pdp",
            $"{Program} gallery --run runs/pdp",
        ],
    }.For<GallerySettings>();
}
