using Microsoft.ML.Tokenizers;

namespace Pdp.Samples.Gpt.Text;

/// <summary>GPT-2's byte pairs, which every text can be written in.</summary>
/// <remarks>Uses Microsoft.ML.Tokenizers, as the BERT sample's word pieces do; its data package has the 50,257 pairs.</remarks>
internal sealed class BytePairs : IVocabulary
{
    private readonly TiktokenTokenizer _tokenizer = TiktokenTokenizer.CreateForModel("gpt2");

    public string Description => $"{Size} byte pairs of GPT-2";

    // <|endoftext|> is one of them.
    public int Size => 50_257;

    public int[] Encode(string text) => [.. _tokenizer.EncodeToIds(text)];

    public string Decode(IReadOnlyList<int> tokens) => _tokenizer.Decode(tokens);
}
