namespace Pdp.Samples.Bert.Text;

/// <summary>A task: texts to train on, and one or more sets to test on, such as MNLI's matched and mismatched ones.</summary>
internal sealed record TaskData(IReadOnlyList<string> Classes, LabelledTexts Training, IReadOnlyList<LabelledTexts> Tests)
{
    private static readonly string[] Extensions = [".tsv", ".jsonl"];

    /// <summary>Whether texts come in pairs.</summary>
    public bool HasPairs => Tests.Append(Training).Any(set => set.Texts.Any(text => text.FirstLength < text.Tokens.Length));

    /// <summary>Reads the files of a folder.</summary>
    /// <param name="folder">The folder: <c>train</c> and <c>dev*</c>, as <c>.tsv</c> or <c>.jsonl</c>.</param>
    /// <param name="pieces">The vocabulary.</param>
    /// <param name="length">The most tokens of a pair.</param>
    /// <param name="limit">The texts to take of each file; null for all.</param>
    /// <exception cref="ArgumentException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or has a label that the training texts don't have.</exception>
    public static TaskData Load(string folder, WordPiece pieces, int length, int? limit)
    {
        if (!Directory.Exists(folder))
        {
            throw new ArgumentException($"--data names '{folder}', which is not a folder.");
        }

        var known = Directory.GetFiles(folder).Where(file => Extensions.Contains(Path.GetExtension(file)));
        string[] files = [.. known.Order(StringComparer.Ordinal)];
        if (files.GroupBy(Name).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
        {
            throw new ArgumentException($"'{folder}' has both {twice}.tsv and {twice}.jsonl: remove the one that is not to be read.");
        }

        var train = files.FirstOrDefault(file => Name(file) == "train")
            ?? throw new ArgumentException($"'{folder}' has no train.tsv or train.jsonl. {Usage.Files}");
        string[] tests = [.. files.Where(file => Name(file).StartsWith("dev", StringComparison.Ordinal))];
        if (tests.Length == 0)
        {
            throw new ArgumentException($"'{folder}' has no dev.tsv, dev_matched.tsv or the like to test on. {Usage.Files}");
        }

        var training = Read(train, int.MaxValue);
        string[] classes = [.. training.Select(pair => pair.Label).Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length < 2)
        {
            throw new InvalidDataException($"'{train}' has only the label '{classes[0]}': there is nothing to tell apart.");
        }

        var taken = training.Take(limit ?? int.MaxValue).ToArray();
        return new(classes, Encode(train, taken), [.. tests.Select(file => Encode(file, Read(file, limit)))]);

        LabelledTexts Encode(string file, IReadOnlyList<TextPair> pairs) => LabelledTexts.Of(Name(file), pairs, classes, pieces, length);
    }

    private static TextPair[] Read(string file, int? limit)
    {
        var texts = TextFile.Read(file);
        if (texts.Unlabelled > 0)
        {
            Console.WriteLine($"'{file}': {texts.Unlabelled} texts without a label (-) are left out.");
        }

        return [.. texts.Pairs.Take(limit ?? int.MaxValue)];
    }

    private static string Name(string file) => Path.GetFileNameWithoutExtension(file);
}
