namespace Pdp.Samples.Cifar10.Gallery;

/// <summary>The settings of the verb gallery; each property is an option of the same name.</summary>
internal sealed record GallerySettings
{
    [Option(
        "The folder of a finished run of PDP, for its masks and its layers.",
        Section = "Options", Value = "FOLDER", Default = "none; those two are not drawn")]
    public string? Run { get; init; }

    [Option("The root of the repository, whose pages have the tables.", Value = "FOLDER")]
    public string Repository { get; init; } = ".";

    [Option("Where the pictures go.", Value = "FOLDER")]
    public string Out { get; init; } = "samples/Cifar10/pictures";
}
