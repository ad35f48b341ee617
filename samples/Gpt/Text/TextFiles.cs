using System.Text;

namespace Pdp.Samples.Gpt.Text;

/// <summary>The texts to train and to test on, as they are read.</summary>
/// <param name="Training">The text to train on.</param>
/// <param name="Tests">Those to test on by name, the one that counts first.</param>
internal sealed record TextFiles(string Training, IReadOnlyList<(string Name, string Text)> Tests)
{
    /// <summary>The share of a single file that is tested on, its end.</summary>
    private const double TestShare = 0.1;

    private const string Train = "train";

    private static readonly string[] TestNames = ["test", "valid"];

    /// <summary>What a file is for, by the parts of its name.</summary>
    private static readonly Dictionary<string, string> Roles = new(StringComparer.OrdinalIgnoreCase)
    {
        [Train] = Train,
        ["training"] = Train,
        ["test"] = "test",
        ["valid"] = "valid",
        ["validation"] = "valid",
    };

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file, or the files of a folder: one .txt with train in its name, one with test, and maybe one with valid.</summary>
    /// <exception cref="ArgumentException">A file is missing, is one of two kinds, or there are too many.</exception>
    /// <exception cref="InvalidDataException">A file is empty or not UTF-8.</exception>
    public static TextFiles Read(string path)
    {
        if (File.Exists(path))
        {
            var text = Text(path);
            var end = TrainingEnd(text);
            return new(text[..end], [("test", text[end..])]);
        }

        if (!Directory.Exists(path))
        {
            throw new ArgumentException($"--data names '{path}', where there is neither a file nor a folder.");
        }

        return ReadFolder(path);
    }

    private static TextFiles ReadFolder(string folder)
    {
        var files = FilesByRole(folder);
        var training = Find(files, folder, Train) ?? throw new ArgumentException($"'{folder}' has no .txt file with train in its name.");
        var tests = TestNames.Select(name => (Name: name, File: Find(files, folder, name))).Where(test => test.File is not null);
        (string, string)[] texts = [.. tests.Select(test => (test.Name, Text(test.File!)))];
        return texts.Length > 0
            ? new(Text(training), texts)
            : throw new ArgumentException($"'{folder}' has no .txt file with test or valid in its name.");
    }

    // A character of two UTF-16 units that is at the end goes to the test text as a whole.
    private static int TrainingEnd(string text)
    {
        var end = (int)((1 - TestShare) * text.Length);
        return char.IsLowSurrogate(text[end]) ? end - 1 : end;
    }

    private static ILookup<string, string> FilesByRole(string folder)
    {
        var names = Directory.GetFiles(folder, "*.txt").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);
        var files = names.Select(name => (Name: name, Roles: RolesOf(name))).ToArray();
        return files.FirstOrDefault(file => file.Roles.Length > 1) is { Name: { } name, Roles: var roles }
            ? throw new ArgumentException(
                $"'{folder}' has a .txt file with both {roles[0]} and {roles[1]} in its name: {name}. Rename it, so that it has one.")
            : files.Where(file => file.Roles.Length == 1).ToLookup(file => file.Roles[0], file => file.Name, StringComparer.Ordinal);
    }

    // Whole parts of a name alone count: there is no test in latest_train.txt.
    private static string[] RolesOf(string name)
    {
        var parts = string.Concat(name.Select(character => char.IsLetter(character) ? character : ' ')).Split(' ');
        return [.. parts.Where(Roles.ContainsKey).Select(part => Roles[part]).Distinct().Order(StringComparer.Ordinal)];
    }

    private static string? Find(ILookup<string, string> files, string folder, string role) => files[role].ToArray() switch
    {
        [] => null,
        [var file] => Path.Combine(folder, file),
        var more => throw new ArgumentException(
            $"'{folder}' has more than one .txt file with {role} in its name: {string.Join(", ", more)}."),
    };

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
