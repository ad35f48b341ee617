namespace Pdp.Samples.Tests;

/// <summary>A test of a disk that is full, which the device /dev/full stands for; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FullDeviceFactAttribute : FactAttribute
{
    public const string Path = "/dev/full";

    public FullDeviceFactAttribute()
    {
        if (!File.Exists(Path))
        {
            Skip = $"The device {Path}, on which no byte can be written, is missing.";
        }
    }
}
