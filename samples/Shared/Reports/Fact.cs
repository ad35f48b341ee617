namespace Pdp.Samples.Reports;

/// <summary>A number that is shown large.</summary>
internal readonly record struct Fact(string Name, string Value);
