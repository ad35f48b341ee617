using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>
/// Reads and writes safetensors files, the format in which weights travel between Python and .NET.
/// </summary>
internal static class Safetensors
{
    private const int FaultsShown = 5;

    /// <summary>
    /// Reads all tensors of a file. They are the caller's, and in the caller's dispose scope if there is one.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is truncated or contradicts itself.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        using var stream = Open(path);
        var header = SafetensorsHeader.Read(stream, path);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            tensors.Add(entry.Name, ReadTensor(stream, entry));
        }

        return tensors;
    }

    /// <summary>Reads the text that lies beside the tensors.</summary>
    public static IReadOnlyDictionary<string, string> LoadMetadata(string path)
    {
        using var stream = Open(path);
        return SafetensorsHeader.Read(stream, path).Metadata;
    }

    /// <summary>Writes tensors, sorted by name, beside the file's place and renames the result.</summary>
    public static void Save(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var sorted = tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).ToArray();
        var header = SafetensorsHeader.Write(sorted, metadata);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var (_, tensor) in sorted)
            {
                WriteTensor(stream, tensor);
            }
        });
    }

    /// <summary>Copies a file's tensors into a module of exactly these names, shapes and types.</summary>
    /// <exception cref="InvalidDataException">The file does not fit; the module is then unchanged.</exception>
    public static void LoadInto(nn.Module module, string path)
    {
        using var scope = NewDisposeScope();
        LoadInto(module, Load(path), path);
    }

    /// <summary>
    /// Copies tensors into a module of exactly these names, shapes and types; <paramref name="source"/> names them in errors.
    /// </summary>
    /// <exception cref="InvalidDataException">The tensors do not fit; the module is then unchanged.</exception>
    public static void LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        using var scope = NewDisposeScope();
        Copy(tensors, Fitting(module, tensors, source));
    }

    /// <summary>The same, and then something that needs the module to be loaded; if that fails, the module is as before.</summary>
    /// <exception cref="InvalidDataException">The tensors do not fit; the module is then unchanged.</exception>
    public static void LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, Action then)
    {
        using var scope = NewDisposeScope();
        var targets = Fitting(module, tensors, source);
        var before = targets.ToDictionary(target => target.Key, target => target.Value.detach().clone(), StringComparer.Ordinal);
        Copy(tensors, targets);
        try
        {
            then();
        }
        catch
        {
            Copy(before, targets);
            throw;
        }
    }

    /// <summary>Checks that tensors have exactly the names, shapes and types of a module.</summary>
    /// <exception cref="InvalidDataException">They don't.</exception>
    public static void RequireFit(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        using var scope = NewDisposeScope();
        _ = Fitting(module, tensors, source);
    }

    /// <summary>Whether a tensor holds neither NaN nor infinity.</summary>
    public static bool IsFinite(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return !tensor.is_floating_point() || tensor.isfinite().all().bytes[0] != 0;
    }

    private static void Copy(IReadOnlyDictionary<string, Tensor> tensors, Dictionary<string, Tensor> targets)
    {
        using var noGrad = no_grad();
        foreach (var (name, target) in targets)
        {
            target.copy_(tensors[name]);
        }
    }

    private static Dictionary<string, Tensor> Fitting(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        var targets = module.state_dict().Where(target => !IsCounter(target.Key)).ToDictionary();
        var faults = Faults(targets, tensors).ToArray();
        if (faults.Length > 0)
        {
            var more = faults.Length > FaultsShown ? $"; and {faults.Length - FaultsShown} more" : "";
            throw new InvalidDataException($"'{source}' does not fit the model: {string.Join("; ", faults.Take(FaultsShown))}{more}.");
        }

        return targets;
    }

    private static IEnumerable<string> Faults(Dictionary<string, Tensor> targets, IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (var (name, target) in targets)
        {
            if (!tensors.TryGetValue(name, out var tensor))
            {
                yield return $"'{name}' is missing";
            }
            else if (!tensor.shape.SequenceEqual(target.shape) || tensor.dtype != target.dtype)
            {
                yield return $"'{name}' is {Describe(tensor)} where the model has {Describe(target)}";
            }
        }

        foreach (var name in tensors.Keys.Where(name => !targets.ContainsKey(name) && !IsCounter(name)))
        {
            yield return $"'{name}' is not in the model";
        }
    }

    // Batch-norm counts its batches only for the sake of cumulative averages, which no model here uses.
    private static bool IsCounter(string name) => name.EndsWith("num_batches_tracked", StringComparison.Ordinal);

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";

    private static FileStream Open(string path) =>
        File.Exists(path) ? File.OpenRead(path) : throw new FileNotFoundException($"There is no file '{path}' to read weights from.", path);

    private static Tensor ReadTensor(FileStream stream, SafetensorsEntry entry)
    {
        var tensor = empty(entry.Shape, dtype: entry.Type);
        if (entry.End > entry.Begin)
        {
            stream.ReadExactly(tensor.bytes);
            GC.KeepAlive(tensor);
        }

        return tensor;
    }

    private static void WriteTensor(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var plain = tensor.detach().cpu().contiguous();
        if (plain.numel() > 0)
        {
            stream.Write(plain.bytes);
            GC.KeepAlive(plain);
        }
    }
}
