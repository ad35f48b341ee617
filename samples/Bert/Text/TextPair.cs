namespace Pdp.Samples.Bert.Text;

/// <summary>A text or a pair of texts, and the class it belongs to.</summary>
internal sealed record TextPair(string First, string? Second, string Label);
