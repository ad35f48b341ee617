namespace Pdp.Samples.Comparison;

/// <summary>What a cell's folder holds; neither, where the run was not made or was interrupted.</summary>
/// <param name="Report">The report of a finished run of the cell's settings.</param>
/// <param name="Fault">Why there is none although the run was made: what it failed with, or which file is damaged.</param>
internal sealed record CellOutcome(ComparedReport? Report, string? Fault);
