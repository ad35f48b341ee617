namespace Pdp.Tests.Support;

/// <summary>A test over several cases that reads reference data; skipped where there is none.</summary>
internal sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute() => Skip = SharedFolder.Location is null ? SharedFolder.Missing : null;
}
