using System.Text;
using Microsoft.ML.Tokenizers;

namespace Pdp.Samples.Bert.Text;

/// <summary>Cuts texts into the pieces of words that a vocabulary has, in lower case and without accents.</summary>
/// <remarks>Uses Microsoft.ML.Tokenizers, as the byte pairs of the GPT sample do.</remarks>
internal sealed class WordPiece
{
    private static readonly string[] Special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    private readonly BertTokenizer _tokenizer;

    private WordPiece(BertTokenizer tokenizer, int size) => (_tokenizer, Size) = (tokenizer, size);

    /// <summary>The number of pieces in the vocabulary.</summary>
    public int Size { get; }

    /// <summary>Reads a vocab.txt, a piece a line.</summary>
    /// <exception cref="InvalidDataException">It lacks a piece that every BERT has, or has one twice.</exception>
    public static WordPiece Load(string path)
    {
        string[] pieces = Lines(path);
        if (Special.Except(pieces).ToArray() is { Length: > 0 } missing)
        {
            throw new InvalidDataException($"'{path}' is not a BERT's vocab.txt: it lacks {string.Join(", ", missing)}.");
        }

        try
        {
            return new(BertTokenizer.Create(path, new BertOptions { RemoveNonSpacingMarks = true }), pieces.Length);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{path}' can't be used as a vocabulary: {e.Message}", e);
        }
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path, TextFile.Strict);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{path}' is not text in UTF-8: {e.Message}", e);
        }
    }

    /// <summary>[CLS] first [SEP], or [CLS] first [SEP] second [SEP]; where a pair is too long, its longer text is cut first.</summary>
    /// <param name="first">The text, or the first of a pair.</param>
    /// <param name="second">The second of a pair; null for a single text.</param>
    /// <param name="length">The most tokens, at least 5.</param>
    public EncodedText Encode(string first, string? second, int length)
    {
        List<int> a = [.. _tokenizer.EncodeToIds(Accents.Strip(first), addSpecialTokens: false)];
        List<int> b = second is null ? [] : [.. _tokenizer.EncodeToIds(Accents.Strip(second), addSpecialTokens: false)];
        Cut(a, b, length - (second is null ? 2 : 3));
        int[] head = [_tokenizer.ClassificationTokenId, .. a, _tokenizer.SeparatorTokenId];
        return new(second is null ? head : [.. head, .. b, _tokenizer.SeparatorTokenId], head.Length);
    }

    private static void Cut(List<int> a, List<int> b, int length)
    {
        while (a.Count + b.Count > length)
        {
            var longer = a.Count > b.Count ? a : b;
            longer.RemoveAt(longer.Count - 1);
        }
    }
}
