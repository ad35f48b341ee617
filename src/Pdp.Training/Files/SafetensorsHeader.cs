using System.Buffers.Binary;
using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>
/// The header of a safetensors file: eight bytes of length, then JSON. All of it is validated, so that a truncated or
/// inconsistent file causes an <see cref="InvalidDataException"/> that names the file and the tensor.
/// </summary>
/// <param name="Entries">The tensors, in the order of their bytes.</param>
/// <param name="Metadata">The file's text metadata.</param>
internal sealed record SafetensorsHeader(IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    private const int LengthBytes = 8;

    /// <summary>The format's own limit, above which its readers refuse a file.</summary>
    private const int LongestHeader = 100_000_000;

    /// <summary>Reads and validates the header; the stream is then positioned at the first tensor's bytes.</summary>
    public static SafetensorsHeader Read(Stream stream, string file)
    {
        try
        {
            var (entries, metadata) = SafetensorsJson.Read(ReadJson(stream));
            SafetensorsEntry[] sorted = [.. entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
            CheckLayout(sorted, stream.Length - stream.Position);
            return new SafetensorsHeader(sorted, metadata);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"'{file}' {e.Message}.", e);
        }
    }

    /// <summary>Lays out tensors one after another, in the given order, and returns the header's bytes.</summary>
    /// <exception cref="ArgumentException">The header would be longer than the format allows.</exception>
    public static byte[] Write(
        IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyCollection<KeyValuePair<string, string>> metadata)
    {
        RequireShort(metadata);
        var entries = new List<SafetensorsEntry>();
        foreach (var (name, tensor) in tensors)
        {
            var begin = entries.Count > 0 ? entries[^1].End : 0;
            entries.Add(new SafetensorsEntry(name, tensor.dtype, tensor.shape, begin, begin + (tensor.numel() * tensor.element_size())));
        }

        var header = Frame(SafetensorsJson.Write(entries, metadata));
        return header.Length - LengthBytes <= LongestHeader ? header : throw TooLong(metadata);
    }

    // Before the text is written out, as its writer has a limit of its own, and doesn't say which text is too long.
    private static void RequireShort(IReadOnlyCollection<KeyValuePair<string, string>> texts)
    {
        if (texts.Sum(text => (long)text.Value.Length) > LongestHeader)
        {
            throw TooLong(texts);
        }
    }

    private static ArgumentException TooLong(IReadOnlyCollection<KeyValuePair<string, string>> texts) => new(
        $"The header of a safetensors file has at most {LongestHeader} bytes, and would have more here: "
        + (texts.MaxBy(text => text.Value.Length) is { Key: { } name, Value: var longest }
            ? $"the text '{name}' has {longest.Length} characters. Keep long texts, such as a pruner's state, in files of their own."
            : "there are too many tensors."));

    // The format pads its header with spaces, so that the tensors' bytes are aligned.
    private static byte[] Frame(byte[] json)
    {
        var length = (json.Length + LengthBytes - 1) / LengthBytes * LengthBytes;
        var bytes = new byte[LengthBytes + length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        json.CopyTo(bytes, LengthBytes);
        bytes.AsSpan(LengthBytes + json.Length).Fill((byte)' ');
        return bytes;
    }

    private static byte[] ReadJson(Stream stream)
    {
        if (stream.Length < LengthBytes)
        {
            throw new FormatException($"is {stream.Length} bytes long, too short for a safetensors file");
        }

        var prefix = new byte[LengthBytes];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > stream.Length - LengthBytes)
        {
            throw new FormatException(
                $"says its header has {length} bytes, but is {stream.Length} bytes long in all; it is truncated or not a safetensors file");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        return json;
    }

    // The format requires the tensors' ranges to follow one another without gap or overlap and to fill the file: checking
    // this catches every wrong offset.
    private static void CheckLayout(SafetensorsEntry[] entries, long available)
    {
        var end = 0L;
        foreach (var entry in entries)
        {
            CheckRange(entry, end, available);
            end = entry.End;
        }

        if (end != available)
        {
            throw new FormatException($"has {available - end} bytes after its last tensor");
        }
    }

    private static void CheckRange(SafetensorsEntry entry, long begin, long available)
    {
        if (entry.End < entry.Begin || entry.End > available)
        {
            throw new FormatException(
                $"places tensor '{entry.Name}' at bytes {entry.Begin} to {entry.End}, "
                    + $"but has {available} bytes of tensors; it is truncated or damaged");
        }

        if (entry.Begin != begin)
        {
            throw new FormatException(
                $"places tensor '{entry.Name}' at byte {entry.Begin} where {begin} was expected: "
                    + "tensors must neither overlap nor leave gaps");
        }

        if (entry.Size() != entry.End - entry.Begin)
        {
            var due = entry.Size()?.ToString() ?? "more than 2^63 - 1";
            throw new FormatException(
                $"gives tensor '{entry.Name}' {entry.End - entry.Begin} bytes, "
                    + $"where {entry.Type} [{string.Join(", ", entry.Shape)}] takes {due}");
        }
    }
}
