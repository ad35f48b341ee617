namespace Pdp.Baselines.Internal;

/// <summary>The core's strategies, with their names in messages.</summary>
internal static class Strategy
{
    public static readonly (Type Type, string Name) Unstructured = (typeof(Unstructured), "unstructured");
    public static readonly (Type Type, string Name) NofM = (typeof(NofM), "N:M");
    public static readonly (Type Type, string Name) PerChannel = (typeof(PerChannel), "channel");
}
