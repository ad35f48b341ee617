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

        var chosen = device(name == "cuda" ? "cuda:0" : name);
        return chosen.index < count
            ? chosen
            : throw new ArgumentException($"There is no {name}: {count} CUDA devices can be used. Build with -p:TorchBackend=cuda on a machine that has one.");
    }
}
