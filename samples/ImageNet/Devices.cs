using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet;

/// <summary>Where to compute.</summary>
internal static class Devices
{
    /// <summary>The device of a name; without one a GPU, if there is one.</summary>
    /// <param name="name">cpu, cuda or cuda:n; null to choose.</param>
    /// <exception cref="ArgumentException">There is no such device.</exception>
    public static Device Choose(string? name)
    {
        var count = name != "cpu" && cuda.is_available() ? cuda.device_count() : 0;
        if (name is null or "cpu")
        {
            return count > 0 ? CUDA : CPU;
        }

        // Asked for before it is known to be there, a device of TorchSharp ends in an error about its native libraries.
        var index = name.Split(':') is [_, var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        return index < count
            ? device(DeviceType.CUDA, index)
            : throw new ArgumentException(
                $"There is no {name}, as {count} CUDA devices can be used: "
                    + "build with -p:TorchBackend=cuda on a machine that has one, or give --device cpu.");
    }
}
