namespace Pdp.Samples.Tests.ImageNet;

/// <summary>
/// A test of the sample's own process, whose built ImageNet.dll the environment variable PDP_IMAGENET names; it takes minutes.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KillFactAttribute : FactAttribute
{
    public KillFactAttribute()
    {
        if (Program is null)
        {
            Skip = "The environment variable PDP_IMAGENET, the path of the sample's ImageNet.dll, is not set.";
        }
    }

    internal static string? Program { get; } = Environment.GetEnvironmentVariable("PDP_IMAGENET");
}
