using System.Text;
using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Training.Checkpoints;

/// <summary>
/// The texts of a checkpoint that a header of 100 MB has no room for, such as the state of a pruner with an importance: they are
/// tensors of UTF-8 bytes.
/// </summary>
internal static class LongTexts
{
    /// <summary>What the names of their tensors start with.</summary>
    public const string Prefix = "text.";

    private const int LongestInHeader = 1_000_000;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a text is too long for the header. The hash is always in the header, where a text of its name is refused.</summary>
    public static bool Is(KeyValuePair<string, string> text) => text.Value?.Length > LongestInHeader && text.Key != Seal.Name;

    /// <summary>A text as a tensor, in the caller's dispose scope.</summary>
    /// <exception cref="ArgumentException">The text is not Unicode.</exception>
    public static Tensor ToTensor(string name, string text)
    {
        SafetensorsFile.RequireText(name, text);
        return tensor(Strict.GetBytes(text), device: CPU);
    }

    /// <summary>Reads the long texts of a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static IEnumerable<KeyValuePair<string, string>> Read(string path)
    {
        using var scope = NewDisposeScope();
        return
        [
            .. SafetensorsFile.Load(path, Prefix).Select(entry => KeyValuePair.Create(entry.Key[Prefix.Length..], ToText(entry, path))),
        ];
    }

    private static string ToText(KeyValuePair<string, Tensor> entry, string path)
    {
        try
        {
            return entry.Value.dtype == ScalarType.Byte
                ? Strict.GetString(entry.Value.bytes)
                : throw new InvalidDataException($"'{path}' is damaged: '{entry.Key}' is {entry.Value.dtype}, where bytes are expected.");
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{path}' is damaged: '{entry.Key}' is not UTF-8.", e);
        }
    }
}
