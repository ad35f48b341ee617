namespace Pdp.Baselines.Internal;

/// <summary>The core's strategies, by the names that messages call them.</summary>
internal static class Strategy
{
    public static readonly (Type Type, string Name) Unstructured = (typeof(Unstructured), "unstructured");
    public static readonly (Type Type, string Name) NofM = (typeof(NofM), "N:M");
    public static readonly (Type Type, string Name) PerChannel = (typeof(PerChannel), "channel");
}
