using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// Reads and writes safetensors files, a format for exchanging weights between Python and .NET. It supports float64, float32, float16,
/// bfloat16, integers and bool, and text metadata. Everything in a file is validated before it is used, and a damaged file can't cause
/// allocations larger than the file itself.
/// </summary>
public static class Safetensors
{
    /// <summary>Reads all tensors of a file, or of the files that an index (<c>*.index.json</c>) lists.</summary>
    /// <param name="path">A safetensors file, or an index as Hugging Face's libraries write it for a model in several files.</param>
    /// <returns>The tensors by name, on the CPU. The caller owns them; they are in the caller's dispose scope if there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file, or one that the index lists, does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is truncated or contradicts itself or the index.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ShardIndex.IsIndex(path) ? ShardIndex.Load(path) : SafetensorsFile.Load(path);
    }

    /// <summary>Reads a file's text metadata without reading its tensors.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <returns>The metadata by name.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is truncated or contradicts itself.</exception>
    public static IReadOnlyDictionary<string, string> LoadMetadata(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return SafetensorsFile.LoadMetadata(path);
    }

    /// <summary>Writes tensors, sorted by name, to a temporary file and renames it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name, on any device and with any strides.</param>
    /// <param name="metadata">Text metadata by name; none by default (null).</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> or <paramref name="tensors"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A tensor has a name or a type that the format does not support, or it or a text is null, or the texts and names take more than
    /// 100,000,000 bytes; nothing is written then.
    /// </exception>
    /// <exception cref="IOException">The file can't be written; an existing file stays as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsFile.Save(path, tensors, metadata);
    }

    /// <summary>Copies a file's tensors into a module that has exactly the same names, shapes and types.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="path">A safetensors file or an index, as for <see cref="Load"/>.</param>
    /// <returns>What was missing or unexpected: at most the batch counters of batch norms.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the module is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view; the module is then unchanged.
    /// </exception>
    public static LoadResult LoadInto(nn.Module module, string path) => LoadInto(module, path, new LoadOptions());

    /// <summary>Copies a file's tensors into a module.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="path">A safetensors file or an index, as for <see cref="Load"/>.</param>
    /// <param name="options">How the file may differ from the module.</param>
    /// <returns>How it differs.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the module is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view; the module is then unchanged.
    /// </exception>
    public static LoadResult LoadInto(nn.Module module, string path, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        return new ModuleFit(module, Load(path), path, options).Copy();
    }

    /// <summary>Copies tensors into a module, then runs an action that needs the loaded module.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="tensors">The tensors by name; the caller keeps them.</param>
    /// <param name="source">What error messages call the tensors, such as the file that they come from.</param>
    /// <param name="then">The action. If it throws, the module is restored.</param>
    /// <returns>What was missing or unexpected: at most the batch counters of batch norms.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">The tensors do not fit; the module is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view; the module is then unchanged.
    /// </exception>
    public static LoadResult LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, Action then)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(then);
        using var scope = NewDisposeScope();
        return new ModuleFit(module, tensors, source, new LoadOptions()).Copy(then);
    }

    /// <summary>Copies tensors into a module.</summary>
    /// <param name="module">The module; its parameters and buffers keep their identity.</param>
    /// <param name="tensors">The tensors by name; the caller keeps them.</param>
    /// <param name="source">What error messages call the tensors, such as the file that they come from.</param>
    /// <param name="options">How the tensors may differ from the module.</param>
    /// <returns>How they differ.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">The tensors do not fit; the module is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view; the module is then unchanged.
    /// </exception>
    public static LoadResult LoadInto(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        return new ModuleFit(module, tensors, source, options).Copy();
    }

    /// <summary>Checks that tensors have exactly the names, shapes and types of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="source">What error messages call the tensors, such as the file that they come from.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">The tensors do not fit.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view.
    /// </exception>
    public static void RequireFit(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source) =>
        RequireFit(module, tensors, source, new LoadOptions());

    /// <summary>Checks that tensors have the names, shapes and types of a module, apart from what may differ.</summary>
    /// <param name="module">The module.</param>
    /// <param name="tensors">The tensors by name; they may be on the meta device, which has no memory.</param>
    /// <param name="source">What error messages call the tensors, such as the file that they come from.</param>
    /// <param name="options">How the tensors may differ from the module.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">The tensors do not fit.</exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor of the module is sparse or on the meta device, as in a packed model, or an expanded view.
    /// </exception>
    public static void RequireFit(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors, string source, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        _ = new ModuleFit(module, tensors, source, options);
    }
}
