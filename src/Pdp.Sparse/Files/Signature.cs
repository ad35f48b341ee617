using System.Globalization;
using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The type and the shape of a tensor, as the metadata give them if the file does not have it under its name.</summary>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">The sizes of its dimensions, whose product is known not to overflow.</param>
internal sealed record Signature(ScalarType Type, long[] Shape)
{
    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The type's name in the file and each size, with spaces between them.</summary>
    public static string TextOf(Tensor tensor) => string.Join(' ', [SafetensorsType.Name(tensor.dtype), .. tensor.shape]);

    /// <summary>Reads what <see cref="TextOf"/> gives.</summary>
    /// <exception cref="FormatException">The text is something else, or the tensor's bytes overflow.</exception>
    public static Signature Parse(string name, string text)
    {
        var words = text.Split(' ');
        var type = SafetensorsType.Find(words[0]) ?? throw Fault(name, text);
        long[] shape = [.. words.Skip(1).Select(word => Size(word) ?? throw Fault(name, text))];
        return new SafetensorsEntry(name, type, shape, 0, 0).Size() is not null ? new(type, shape) : throw Fault(name, text);
    }

    private static long? Size(string word) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null;

    private static FormatException Fault(string name, string text) =>
        new($"has metadata for '{name}', '{text}', that are not a type and a shape below 2^63 bytes");
}
