namespace Pdp.Tests.Support;

/// <summary>A test that reads reference data; skipped where there is none.</summary>
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute() => Skip = SharedFolder.Location is null ? SharedFolder.Missing : null;
}
