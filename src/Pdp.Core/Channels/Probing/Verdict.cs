namespace Pdp.Channels.Probing;

/// <summary>What a trial cut has shown.</summary>
/// <param name="IsTelling">Whether the state could show anything.</param>
/// <param name="Refusal">What went wrong; null if nothing did.</param>
internal readonly record struct Verdict(bool IsTelling, string? Refusal)
{
    /// <summary>The model does not run in the state, or its outputs there are not numbers to compare.</summary>
    public static readonly Verdict Nothing = new(false, null);

    public static readonly Verdict Passed = new(true, null);

    public static Verdict Refused(string refusal) => new(true, refusal);
}
