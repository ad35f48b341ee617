namespace Pdp.Samples.Comparison;

/// <summary>A cell whose run failed, or whose files are damaged, and the words for it.</summary>
internal sealed record Failure(Cell Cell, string Error);
