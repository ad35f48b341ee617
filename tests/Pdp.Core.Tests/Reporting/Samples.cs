using Pdp.Reporting;

namespace Pdp.Tests.Reporting;

/// <summary>A plan and a report with all that may come up in them.</summary>
internal static class Samples
{
    public static PruningPlan Plan { get; } = new()
    {
        Layers =
        [
            new("conv1.weight", "[16, 3, 3, 3]", 432, null, null, "excluded by the first layer", 0),
            new("conv2.weight", "[16, 16, 3, 3]", 2304, "unstructured", "'conv2'", null, 1843),
            new("fc.weight", "[10, 16]", 160, "2:4", null, null, 80),
        ],
        ModelParameters = 3000,
        IsFinal = false,
    };

    public static SizeChange Size { get; } = new(new(3000, 12000, 50000), new(1500, 6000, 20000));

    public static PruningReport Report { get; } = new()
    {
        Layers =
        [
            new("conv2.weight", "unstructured", 2304, 1843, 12, 0.0123456789, 1e-4, 1.52, 0.1, 0.02, 3, 0),
            new("fc,\"odd\"\nname", "2:4", 160, 80, 0, 0.5, 0.25, 1, 0.25, 0, 0, 1),
        ],
        Epoch = 4.5,
        IsCommitted = false,
        ModelParameters = 3000,
        Leak = 0.0175,
        Warnings = ["1.75% of the magnitude leaks."],
    };
}
