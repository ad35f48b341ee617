using TorchSharp;

namespace Pdp.Masking;

/// <summary>Which weights go through scopes together.</summary>
internal static class BatchPlan
{
    /// <summary>The most elements of a batch of several weights: its operations need about ten times its memory for a moment.</summary>
    private const long MostElements = 1 << 24;

    /// <summary>The batches of a model: of weights on devices other than the CPU, which has kernels of its own.</summary>
    public static BatchScope[] Of(IEnumerable<MaskGroup> groups) => [.. Of(groups, MostElements).Select(batch => new BatchScope(batch))];

    /// <summary>The weights of each batch, with at most so many elements unless it is of one.</summary>
    internal static List<List<MaskGroup>> Of(IEnumerable<MaskGroup> groups, long mostElements)
    {
        List<List<MaskGroup>> batches = [];
        foreach (var alike in groups.Where(group => IsOnDevice(group) && IsSupported(group)).GroupBy(Key))
        {
            var elements = mostElements;
            foreach (var group in alike)
            {
                elements += group.Mask.Layout.Elements;
                if (elements > mostElements)
                {
                    batches.Add([]);
                    elements = group.Mask.Layout.Elements;
                }

                batches[^1].Add(group);
            }
        }

        return batches;
    }

    /// <summary>Whether a batch can take it: a weight under a mask of its own, of single weights.</summary>
    private static bool IsSupported(MaskGroup group) => group.Slices.Lone is not null && group.Mask.Strategy is Unstructured or NofM;

    private static bool IsOnDevice(MaskGroup group) => group.Parameters[0].device_type != DeviceType.CPU;

    private static object Key(MaskGroup group)
    {
        var (weight, mask) = (group.Parameters[0], group.Mask);
        return (weight.dtype, weight.device.ToString(), mask.Strategy, mask.Temperature, mask.GradientTemperature);
    }
}
