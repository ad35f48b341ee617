namespace Pdp.Samples.Gpt.Text;

/// <summary>A text cut into tokens.</summary>
/// <param name="Name">What it is called in results.</param>
/// <param name="Tokens">The numbers of its tokens.</param>
internal sealed record TokenText(string Name, int[] Tokens);
