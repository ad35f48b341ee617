namespace Pdp.Samples.Bert.Text;

/// <summary>A text, or a pair of texts, as the encoder takes it.</summary>
/// <param name="Tokens">The numbers of its tokens, with those that begin and end a text.</param>
/// <param name="FirstLength">How many of them belong to the first text.</param>
internal sealed record EncodedText(int[] Tokens, int FirstLength);
