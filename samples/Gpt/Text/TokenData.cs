namespace Pdp.Samples.Gpt.Text;

/// <summary>The texts of a run, cut into tokens.</summary>
internal sealed record TokenData(IVocabulary Vocabulary, TokenText Training, IReadOnlyList<TokenText> Tests)
{
    public const string BytePairs = "bytepairs";
    public const string Words = "words";
    public const string Characters = "characters";

    /// <summary>What text can be cut into.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [BytePairs, Words, Characters];

    /// <summary>Reads texts and cuts them.</summary>
    /// <param name="path">A file or a folder.</param>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="limit">The tokens to take of each text; null for all.</param>
    /// <exception cref="ArgumentException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static TokenData Load(string path, string kind, int? limit)
    {
        var files = TextFiles.Read(path);
        IVocabulary vocabulary = kind switch
        {
            BytePairs => new BytePairs(),
            Words => new Words(files.Training),
            _ => new Characters(string.Concat([files.Training, .. files.Tests.Select(test => test.Text)])),
        };
        return new(vocabulary, Cut("train", files.Training), [.. files.Tests.Select(test => Cut(test.Name, test.Text))]);

        TokenText Cut(string name, string text)
        {
            var tokens = vocabulary.Encode(text);
            return new(name, limit < tokens.Length ? tokens[..limit.Value] : tokens);
        }
    }
}
