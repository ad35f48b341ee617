using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Pdp.Samples.Gpt.Text;

/// <summary>The characters of a text, in the order of their numbers.</summary>
internal sealed class Characters : IVocabulary
{
    private readonly Rune[] _runes;
    private readonly Dictionary<Rune, int> _numbers;

    /// <summary>The characters of a text.</summary>
    public Characters(string text)
    {
        _runes = [.. text.EnumerateRunes().Distinct().Order()];
        _numbers = _runes.Index().ToDictionary(rune => rune.Item, rune => rune.Index);
    }

    public string Description
    {
        get
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(Decode([.. Enumerable.Range(0, Size)])));
            return string.Create(CultureInfo.InvariantCulture, $"{Size} characters, {Convert.ToHexStringLower(hash)[..12]}");
        }
    }

    public int Size => _runes.Length;

    public int[] Encode(string text) => [.. text.EnumerateRunes().Select(NumberOf)];

    public string Decode(IReadOnlyList<int> tokens) => string.Concat(tokens.Select(token => _runes[token].ToString()));

    private int NumberOf(Rune rune) => _numbers.TryGetValue(rune, out var number)
        ? number
        : throw new InvalidDataException($"The character '{rune}' is in none of the texts, so that the model has no token for it.");
}
