using System.Reflection;

namespace Pdp.Samples;

/// <summary>The version of the library that a run is made with.</summary>
internal static class LibraryVersion
{
    /// <summary>Its number, and after a plus the commit that it was built from, if it was built in a repository.</summary>
    public static string Current { get; } =
        typeof(PdpPruner).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
