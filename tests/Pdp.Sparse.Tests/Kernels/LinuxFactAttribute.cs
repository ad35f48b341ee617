namespace Pdp.Sparse.Tests.Kernels;

/// <summary>Skips a test, with a message, where memory can't be guarded as on Linux.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "The test guards memory as on Linux.";
    }
}
