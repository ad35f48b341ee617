namespace Pdp.Channels.Probing.Checking;

/// <summary>The result of checking a cut.</summary>
/// <param name="IsConclusive">Whether the outputs could be compared.</param>
/// <param name="Refusal">Why the cut is wrong; null if it is right.</param>
/// <param name="IsDifference">Whether it is wrong because outputs differ.</param>
/// <param name="AreIsolated">Whether the channels reach the outputs through their readers alone, as far as it was looked at.</param>
internal readonly record struct CutResult(bool IsConclusive, string? Refusal, bool IsDifference = false, bool AreIsolated = true)
{
    /// <summary>The model does not run in the scenario, or its outputs can't be compared.</summary>
    public static readonly CutResult Inconclusive = new(false, null);

    public static readonly CutResult Passed = new(true, null);

    public static CutResult Refused(string refusal) => new(true, refusal);

    public static CutResult Differs(string refusal) => new(true, refusal, IsDifference: true);
}
