using System.Text;

namespace Pdp.Samples.Gpt.Text;

/// <summary>The texts to train and to test on, as they are read.</summary>
/// <param name="Training">The text to train on.</param>
/// <param name="Tests">Those to test on by name, the one that counts first.</param>
internal sealed record TextFiles(string Training, IReadOnlyList<(string Name, string Text)> Tests)
{
    /// <summary>The share of a single file that is tested on, its end.</summary>
    private const double TestShare = 0.1;

    private static readonly string[] TestNames = ["test", "valid"];

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file, or the files of a folder: one .txt with train in its name, one with test, and maybe one with valid.</summary>
    /// <exception cref="ArgumentException">A file is missing, or there are too many.</exception>
    /// <exception cref="InvalidDataException">A file is empty or not UTF-8.</exception>
    public static TextFiles Read(string path)
    {
        if (File.Exists(path))
        {
            var text = Text(path);
            var train = (int)((1 - TestShare) * text.Length);
            return new(text[..train], [("test", text[train..])]);
        }

        if (!Directory.Exists(path))
        {
            throw new ArgumentException($"--data names '{path}', where there is neither a file nor a folder.");
        }

        var training = Find(path, "train") ?? throw new ArgumentException($"'{path}' has no .txt file with train in its name.");
        var tests = TestNames.Select(name => (Name: name, File: Find(path, name))).Where(test => test.File is not null);
        (string, string)[] texts = [.. tests.Select(test => (test.Name, Text(test.File!)))];
        return texts.Length > 0
            ? new(Text(training), texts)
            : throw new ArgumentException($"'{path}' has no .txt file with test or valid in its name.");
    }

    private static string? Find(string folder, string name)
    {
        var all = Directory.GetFiles(folder, "*.txt").Select(file => Path.GetFileName(file));
        string[] files = [.. all.Where(file => file.Contains(name, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        return files.Length > 1
            ? throw new ArgumentException($"'{folder}' has more than one .txt file with {name} in its name: {string.Join(", ", files)}.")
            : files.Length == 1 ? Path.Combine(folder, files[0]) : null;
    }

    private static string Text(string path)
    {
        try
        {
            var text = File.ReadAllText(path, Strict);
            return string.IsNullOrWhiteSpace(text) ? throw new InvalidDataException($"'{path}' has no text.") : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{path}' is not text in UTF-8: {e.Message}", e);
        }
    }
}
