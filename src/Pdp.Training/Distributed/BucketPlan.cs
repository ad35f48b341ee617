using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>Divides parameters into buckets; those of one type and device take turns in one memory.</summary>
internal static class BucketPlan
{
    /// <summary>The type that gradients are summed in: half precision is too coarse for sums, and MPI doesn't have it.</summary>
    public static ScalarType SumType(Tensor tensor) => tensor.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>The buckets, in an order that is the same on all ranks, and the memory that they share; the caller's to dispose.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="bytes">The most that a bucket of several parameters takes.</param>
    public static (GradientBucket[] Buckets, Tensor[] Memory) Make(IEnumerable<Parameter> parameters, long bytes)
    {
        var (buckets, memory) = (new List<GradientBucket>(), new List<Tensor>());
        foreach (var group in parameters.GroupBy(parameter => (Type: SumType(parameter), Device: parameter.device.ToString())))
        {
            var most = bytes / (group.Key.Type == ScalarType.Float64 ? sizeof(double) : sizeof(float));
            var parts = Divide(group, most);
            var longest = parts.Max(part => part.Sum(parameter => parameter.numel()));
            var shared = empty(longest, group.Key.Type, group.First().device).DetachFromDisposeScope();
            memory.Add(shared);
            buckets.AddRange(parts.Select(part => new GradientBucket(part, shared)));
        }

        return ([.. buckets], [.. memory]);
    }

    private static List<List<Parameter>> Divide(IEnumerable<Parameter> parameters, long most)
    {
        var parts = new List<List<Parameter>>();
        var left = 0L;
        foreach (var parameter in parameters)
        {
            if (parts.Count == 0 || parameter.numel() > left)
            {
                parts.Add([]);
                left = most;
            }

            parts[^1].Add(parameter);
            left -= parameter.numel();
        }

        return parts;
    }
}
