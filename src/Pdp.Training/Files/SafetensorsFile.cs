using System.Text;
using Pdp.Training.Internal;
using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>One safetensors file.</summary>
internal static class SafetensorsFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads the tensors whose names start with a prefix; by default all.</summary>
    public static Dictionary<string, Tensor> Load(string path, string prefix = "")
    {
        using var stream = Open(path);
        var header = SafetensorsHeader.Read(stream, path);
        var first = stream.Position;
        using var scope = NewDisposeScope();
        var tensors = header.Entries
            .Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Name, entry => Read(stream, first, entry, path), StringComparer.Ordinal);
        return tensors.ToDictionary(entry => entry.Key, entry => entry.Value.MoveToOuterDisposeScope(), StringComparer.Ordinal);
    }

    public static IReadOnlyDictionary<string, string> LoadMetadata(string path)
    {
        if (ShardIndex.IsIndex(path))
        {
            throw new InvalidDataException($"'{path}' is an index, which has no text of its own: read one of its files.");
        }

        using var stream = Open(path);
        return SafetensorsHeader.Read(stream, path).Metadata;
    }

    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata) =>
        Save(path, tensors, metadata, _ => { });

    /// <summary>Writes a file with its SHA-256 in the header.</summary>
    public static void SaveSealed(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> texts)
    {
        if (texts.ContainsKey(Seal.Name))
        {
            throw new ArgumentException($"The name '{Seal.Name}' is reserved for the file's own text: use another.", nameof(texts));
        }

        KeyValuePair<string, string>[] sealedTexts = [new(Seal.Name, Seal.Blank), .. texts];
        Save(path, tensors, sealedTexts, Seal.Write);
    }

    private static void Save(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IEnumerable<KeyValuePair<string, string>>? metadata,
            Action<Stream> finish)
    {
        Require(tensors);
        KeyValuePair<string, string>[] texts = [.. metadata ?? []];
        foreach (var (name, text) in texts)
        {
            RequireText(name, text);
        }

        var sorted = tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).ToArray();
        var header = SafetensorsHeader.Write(sorted, texts);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var (_, tensor) in sorted)
            {
                Write(stream, tensor);
            }

            finish(stream);
        });
    }

    /// <exception cref="ArgumentException">A tensor has a name or a type that the format does not support.</exception>
    public static void Require(IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (var (name, tensor) in tensors)
        {
            Require(name, tensor);
        }
    }

    private static void Require(string name, Tensor tensor)
    {
        if (name is null || tensor is null || tensor.IsInvalid)
        {
            throw new ArgumentException($"The tensor '{name}' is null, has no name or was disposed.", nameof(tensor));
        }

        if (name == SafetensorsJson.MetadataName || name.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar))
        {
            throw new ArgumentException($"A safetensors file cannot hold a tensor named '{name}': rename it.", nameof(name));
        }

        if (tensor.is_sparse || tensor.device_type == TorchSharp.DeviceType.META)
        {
            throw new ArgumentException(
                $"A safetensors file cannot hold '{name}', which is sparse or has no memory: "
                + "if its model is packed, call Unpack() first.", nameof(tensor));
        }

        SafetensorsType.Name(tensor.dtype);
    }

    /// <exception cref="ArgumentException">A text or its name is null or not Unicode.</exception>
    public static void RequireText(string name, string text)
    {
        if (name is null || text is null)
        {
            throw new ArgumentException(name is null ? "A text has no name." : $"The text '{name}' is null.", nameof(text));
        }

        if (!IsUnicode(name) || !IsUnicode(text))
        {
            throw new ArgumentException($"The text '{name}' is not Unicode: it holds half of a surrogate pair.", nameof(text));
        }
    }

    // Counted, not encoded: the state of a pruner is a text of many megabytes.
    private static bool IsUnicode(string text)
    {
        try
        {
            Strict.GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private static FileStream Open(string path) =>
        File.Exists(path) ? File.OpenRead(path) : throw new FileNotFoundException($"There is no file '{path}' to read weights from.", path);

    private static Tensor Read(FileStream stream, long first, SafetensorsEntry entry, string path)
    {
        stream.Position = first + entry.Begin;
        var tensor = empty(entry.Shape, entry.Type, CPU);
        if (entry.End == entry.Begin)
        {
            return tensor;
        }

        try
        {
            foreach (var piece in TensorPieces.Of(tensor))
            {
                stream.ReadExactly(piece.bytes);
                GC.KeepAlive(piece);
            }
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException($"'{path}' became shorter while tensor '{entry.Name}' was read.", e);
        }

        return tensor;
    }

    private static void Write(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        foreach (var piece in TensorPieces.Of(tensor.detach().cpu().contiguous()))
        {
            stream.Write(piece.bytes);
            GC.KeepAlive(piece);
        }
    }
}
