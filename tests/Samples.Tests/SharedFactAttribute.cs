namespace Pdp.Samples.Tests;

/// <summary>A test of the data and weights that lie beside the repository; skipped where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (SharedData.Folder is null)
        {
            Skip = "The folder '../shared/data' beside the repository, with CIFAR-10 and weights, is missing.";
        }
    }
}
