namespace Pdp.Samples.Bert.Text;

/// <summary>The texts of a file, cut into tokens, with the numbers of their classes.</summary>
internal sealed record LabelledTexts(string Name, IReadOnlyList<EncodedText> Texts, IReadOnlyList<int> Labels)
{
    /// <summary>Encodes the texts of a file.</summary>
    /// <param name="name">What the file is called in results.</param>
    /// <param name="pairs">Its texts.</param>
    /// <param name="classes">The labels, in the order of their numbers.</param>
    /// <param name="pieces">The vocabulary.</param>
    /// <param name="length">The most tokens of a pair.</param>
    /// <exception cref="InvalidDataException">A label is not one of the classes.</exception>
    public static LabelledTexts Of(string name, IReadOnlyList<TextPair> pairs, IReadOnlyList<string> classes, WordPiece pieces, int length)
    {
        var numbers = classes.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        if (pairs.FirstOrDefault(pair => !numbers.ContainsKey(pair.Label)) is { } stranger)
        {
            throw new InvalidDataException(
                $"{name} has the label '{stranger.Label}', which the training texts don't have: {string.Join(", ", classes)}.");
        }

        var texts = pairs.Select(pair => pieces.Encode(pair.First, pair.Second, length));
        return new(name, [.. texts], [.. pairs.Select(pair => numbers[pair.Label])]);
    }
}
