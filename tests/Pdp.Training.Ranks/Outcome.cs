namespace Pdp.Training.Ranks;

/// <summary>What a rank has after the training.</summary>
/// <param name="Weights">The hash of the committed weights.</param>
/// <param name="Masks">The hash of the final masks.</param>
/// <param name="Zeros">The zeros that the commit left.</param>
/// <param name="Values">The weights before the commit.</param>
public sealed record Outcome(string Weights, string Masks, long Zeros, IReadOnlyList<double> Values);
