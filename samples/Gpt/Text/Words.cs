using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace Pdp.Samples.Gpt.Text;

/// <summary>Words between spaces and ends of lines, as Penn Treebank is read; those not known are <c>&lt;unk&gt;</c>.</summary>
internal sealed class Words : IVocabulary
{
    private const string Unknown = "<unk>";
    private const string LineEnd = "<eos>";

    private readonly string[] _words;
    private readonly FrozenDictionary<string, int> _numbers;

    /// <summary>The words of a text, the most frequent first.</summary>
    public Words(string text)
    {
        var counted = Split(text).CountBy(word => word).Where(word => word.Key is not (Unknown or LineEnd));
        _words =
        [
            Unknown, LineEnd,
            .. counted.OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal).Select(word => word.Key),
        ];
        _numbers = _words.Index().ToFrozenDictionary(word => word.Item, word => word.Index, StringComparer.Ordinal);
    }

    public string Description
    {
        get
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', _words)));
            return $"{Size} words, {Convert.ToHexStringLower(hash)[..12]}";
        }
    }

    public int Size => _words.Length;

    public int[] Encode(string text) => [.. Split(text).Select(word => _numbers.GetValueOrDefault(word))];

    public string Decode(IReadOnlyList<int> tokens) =>
        string.Join(' ', tokens.Select(token => _words[token])).Replace(LineEnd, "\n", StringComparison.Ordinal);

    private static IEnumerable<string> Split(string text)
    {
        string[] lines = text.Split('\n');
        for (var line = 0; line < lines.Length; line++)
        {
            foreach (var word in lines[line].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                yield return word;
            }

            // What follows the last line end is nothing, or a line that has not ended.
            if (line < lines.Length - 1)
            {
                yield return LineEnd;
            }
        }
    }
}
