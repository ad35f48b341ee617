using Pdp.Training.Internal;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// Reads and writes safetensors files, in which weights travel between Python and .NET: float64, float32, float16, bfloat16, integers and
/// bool, with text beside them. Nothing in a file is believed before it is checked, and nothing is allocated that the file does not hold.
/// </summary>
public static class Safetensors
{
    /// <summary>Reads all tensors of a file, or of the files that an index (<c>*.index.json</c>) lists.</summary>
    /// <param name="path">A safetensors file, or an index as Hugging Face's libraries write it for a model in several files.</param>
    /// <returns>The tensors by name, on the CPU. They are the caller's, and in the caller's dispose scope if there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file, or one that the index lists, does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is truncated or contradicts itself or the index.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ShardIndex.IsIndex(path) ? ShardIndex.Load(path) : SafetensorsFile.Load(path);
    }

    /// <summary>Reads the text that a file holds beside the tensors, and no tensor.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <returns>The text by name.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is truncated or contradicts itself.</exception>
    public static IReadOnlyDictionary<string, string> LoadMetadata(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return SafetensorsFile.LoadMetadata(path);
    }

    /// <summary>Writes tensors, sorted by name, beside the file's place and renames the result.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name, on any device and with any strides.</param>
    /// <param name="metadata">Text by name; none by default (null).</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="tensors"/> is null.</exception>
    /// <exception cref="ArgumentException">A tensor has a type that the format does not know; nothing is written then.</exception>
    /// <exception cref="IOException">The file can't be written; what was there stays.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsFile.Save(path, tensors, metadata);
    }

    /// <summary>Copies a file's tensors into a module of exactly these names, shapes and types.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="path">A safetensors file or an index, as for <see cref="Load"/>.</param>
    /// <returns>What was missing or more than the module has: batch counters of batch norms at most.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the module is then unchanged.</exception>
    public static LoadResult LoadInto(nn.Module module, string path) => LoadInto(module, path, new LoadOptions());

    /// <summary>Copies a file's tensors into a module.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="path">A safetensors file or an index, as for <see cref="Load"/>.</param>
    /// <param name="options">In what the file may differ from the module.</param>
    /// <returns>In what it differs.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the module is then unchanged.</exception>
    public static LoadResult LoadInto(nn.Module module, string path, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        return new ModuleFit(module, Load(path), path, options).Copy();
    }

    /// <summary>Copies tensors into a module, and then does something that needs the module to be loaded.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="tensors">The tensors by name; they stay the caller's.</param>
    /// <param name="source">What errors call the tensors, such as the file that they come from.</param>
    /// <param name="then">What is done then. If it throws, the module is as it was before.</param>
    /// <returns>What was missing or more than the module has: batch counters of batch norms at most.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">The tensors do not fit; the module is then unchanged.</exception>
    public static LoadResult LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, Action then)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(then);
        using var scope = NewDisposeScope();
        return new ModuleFit(module, tensors, source, new LoadOptions()).Copy(then);
    }

    /// <summary>Checks that tensors have exactly the names, shapes and types of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="source">What errors call the tensors, such as the file that they come from.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">They have not.</exception>
    public static void RequireFit(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        using var scope = NewDisposeScope();
        _ = new ModuleFit(module, tensors, source, new LoadOptions());
    }
}
