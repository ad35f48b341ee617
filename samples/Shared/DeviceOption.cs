using System.Globalization;
using System.Text.RegularExpressions;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>The value of <c>--device</c>: where to compute.</summary>
internal static partial class DeviceOption
{
    public const string Text = "cpu, cuda or cuda:1.";

    public const string Default = "cuda where there is one";

    /// <summary>The same where a run can be distributed.</summary>
    public const string DefaultOfRanks = Default + "; of several, each rank of a machine takes the next";

    /// <summary>The name itself, if it has the form of one, or null if none is given.</summary>
    /// <exception cref="ArgumentException">It hasn't.</exception>
    public static string? Checked(string? name) =>
        name is null || Form().IsMatch(name) ? name : throw new ArgumentException($"Must be cpu, cuda, or cuda:n, not '{name}'.");

    /// <summary>The device of a name; without one a GPU, if there is one. All ranks make this call.</summary>
    /// <param name="name">cpu, cuda or cuda:n; null to choose.</param>
    /// <param name="ranks">The ranks, which share the GPUs of their machine; null where a run is alone.</param>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    public static Device Choose(string? name, ICollective? ranks = null)
    {
        // Asked before the name is looked at: some machines' ranks may have one, and all must make the same calls.
        int? localRank = ranks is { Size: > 1 } ? ranks.LocalRankAndSize().Rank : null;
        var count = name != "cpu" && cuda.is_available() ? cuda.device_count() : 0;
        name ??= NameFor(count, localRank);
        if (name == "cpu")
        {
            return CPU;
        }

        // TorchSharp's own error for a device that isn't there would be about its native libraries.
        var index = name.Split(':') is [_, var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        return index < count
            ? device(DeviceType.CUDA, index)
            : throw new ArgumentException(
                $"There is no {name}, as {count} CUDA devices can be used: "
                    + "build with -p:TorchBackend=cuda on a machine that has one, or give --device cpu.");
    }

    /// <summary>The name of the device to compute on where none is given.</summary>
    /// <param name="count">The GPUs that can be used.</param>
    /// <param name="localRank">The number of this rank on its machine; null where a run is alone.</param>
    internal static string NameFor(int count, int? localRank) =>
        count == 0 ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cuda:{(localRank ?? 0) % count}");

    [GeneratedRegex("^(cpu|cuda(:[0-9]{1,3})?)$")]
    private static partial Regex Form();
}
