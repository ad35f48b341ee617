namespace Pdp.Tests.Reporting;

/// <summary>A plan and a report with all that may come up in them.</summary>
internal static class Samples
{
    public static PruningPlan Plan { get; } = new()
    {
        Layers =
        [
            Layer("conv1.weight", "[16, 3, 3, 3]", 432, null, null, "excluded by the first layer", 0, 1728),
            Layer("conv2.weight", "[16, 16, 3, 3]", 2304, "unstructured", "'conv2'", null, 1843, 2122),
            Layer("fc.weight", "[10, 16]", 160, "2:4", null, null, 80, 356),
        ],
        ModelParameters = 3000,
        File = new(12_000, 6_000),
        IsFinal = false,
    };

    public static SizeChange Size { get; } = new(
        new() { Parameters = 3000, Bytes = 12000, Macs = 50000 }, new() { Parameters = 1500, Bytes = 6000, Macs = 20000 });

    public static PruningReport Report { get; } = new()
    {
        Layers =
        [
            new()
            {
                Name = "conv2.weight", Strategy = "unstructured", Elements =
                    2304, Removed = 1843, Zeros = 12, Threshold = 0.0123456789, Temperature = 1e-4, Sharpness = 1.52,
                Undecided = 0.1, Leak = 0.02, Subnormals = 3, Violations = 0, FileBytes = 2122,
            },
            new()
            {
                Name = "fc,\"odd\"\nname", Strategy =
                    "2:4", Elements = 160, Removed = 80, Zeros = 0, Threshold = 0.5, Temperature = 0.25, Sharpness = 1,
                Undecided = 0.25, Leak = 0, Subnormals = 0, Violations = 1,
            },
        ],
        Epoch = 4.5,
        IsCommitted = false,
        ModelParameters = 3000,
        File = new(12_000, 6_000),
        Leak = 0.0175,
        Warnings = ["1.75% of the magnitude leaks."],
    };

    public static PlannedLayer Layer(string name,
        string shape, long elements, string? strategy, string? rule, string? denseReason, long removed, long? fileBytes = null) =>
        new()
        {
            Name = name,
            Shape = shape,
            Elements = elements,
            Strategy = strategy,
            Rule = rule,
            DenseReason = denseReason,
            Removed = removed,
            FileBytes = fileBytes,
        };
}
