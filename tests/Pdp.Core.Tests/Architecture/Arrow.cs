namespace Pdp.Tests.Architecture;

/// <summary>A reference from one room to another.</summary>
/// <param name="From">The room that refers.</param>
/// <param name="To">The room of what it refers to.</param>
/// <param name="Place">The file, the line, and the type.</param>
internal sealed record Arrow(string From, string To, string Place);
