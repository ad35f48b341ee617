namespace Pdp.Training.Tests.Files;

/// <summary>Skips a test, with a message, on Windows, where files have no modes.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
            Skip = "Files have no modes on Windows.";
    }
}
