using Pdp.Sparse.Files;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Sparse;

/// <summary>Saves a pruned model in a small safetensors file, and loads it.</summary>
/// <remarks>
/// Any reader of safetensors opens the file. A tensor <c>P</c> is stored as it is, or as the values that are not zero and their places,
/// whichever takes fewer bytes (by 128 at least, as its parts have longer entries in the header). A zero is an element without any bit set:
/// −0 and NaN are values, and every bit is restored. Tensors of at most one dimension that are stored as they are, such as biases and
/// norms, are in one block for each type, as a header entry for each would take more bytes than most of them. Parameters, buffers and all
/// types of safetensors are stored alike; a tensor with two names is stored twice.
/// <list type="table">
/// <listheader><term>part</term><description>contents</description></listheader>
/// <item><term><c>P.compressed</c></term><description>The values, in the tensor's type, in row-major order.</description></item>
/// <item><term><c>P.bitmask</c></term><description>
/// U8, ⌈elements ÷ 8⌉ bytes: a bit for each element in row-major order, the lowest of a byte first. The smallest layout up to 75 % zeros.
/// </description></item>
/// <item><term>or <c>P.positions</c></term><description>
/// U8: the Elias–Fano code of the places pᵢ of the n values, about 5 bits for each at 90 % zeros and 6 at 95 %. With
/// l = ⌊log₂(elements ÷ n)⌋, bit ⌊pᵢ ÷ 2ˡ⌋ + i is set for each i; then, from a whole byte on, l planes of
/// ⌈n ÷ 8⌉ bytes: bit i of plane b is bit b of pᵢ.
/// </description></item>
/// <item><term>or <c>P.indices</c></term><description>
/// U8, 4 bits for every four inputs, the lower half of a byte first: the places of the two values among them, two bits each. For 2:4 along
/// dimension 1; the values then have that dimension last, <c>[out, k…, in/2]</c>, as sparse tensor cores take them. As long as a bitmask.
/// </description></item>
/// <item><term><c>pdp.F32</c></term><description>
/// The elements of all F32 tensors of at most one dimension that are not packed, in the order of their names; the same for
/// <c>pdp.I64</c> and so on.
/// </description></item>
/// </list>
/// <para>
/// The metadata hold the type and the shape of each tensor that is in parts or in a block, such as <c>F32 64 64 3 3</c>, under its name.
/// They also hold <c>pdp.sparse</c>, the version of this layout, 1; <c>pdp.version</c>, that of the library; <c>pdp.sparsity</c>, the
/// fraction of zeros in the floating-point tensors of two or more dimensions; <c>pdp.values</c>, the type that weights were rounded to, if
/// they were; and <c>pdp.sha256</c>, which is checked when a file is loaded. It is the hash of a line <c>KEY=TEXT</c> for each other entry
/// of the metadata, then for each tensor of the file a line <c>NAME TYPE [2, 3]</c>, with the type's name in the file, and its bytes; lines
/// are in UTF-8 and ended by a line feed. All names are sorted as UTF-16.
/// </para>
/// <para>In Python, with <c>t = safetensors.numpy.load_file(path)</c> and <c>m = safetensors.safe_open(path, "np").metadata()</c>:</para>
/// <code language="python">
/// for p in sorted(name for name in m if not name.startswith("pdp.")):
///     block, shape = "pdp." + m[p].split()[0], [int(size) for size in m[p].split()[1:]]
///     if p + ".compressed" not in t:
///         vector, t[block] = np.split(t[block], [math.prod(shape)])
///         t[p] = vector.reshape(shape)
///         continue
///     values = t.pop(p + ".compressed").ravel()
///     w, n = np.zeros(math.prod(shape), values.dtype), len(values)
///     kind = next(kind for kind in ("bitmask", "positions", "indices") if f"{p}.{kind}" in t)
///     bits = np.unpackbits(t.pop(f"{p}.{kind}"), bitorder="little")
///     if kind == "bitmask":
///         w[np.flatnonzero(bits)] = values
///     elif kind == "positions":
///         low, width = (w.size // max(n, 1)).bit_length() - 1, -(-n // 8) * 8
///         unary, planes = np.split(bits, [-low * width])
///         rest = (1 &lt;&lt; np.arange(low)) @ planes.reshape(low, width)[:, :n]
///         w[(np.flatnonzero(unary) - np.arange(n) &lt;&lt; low) + rest] = values
///     else:
///         w[bits[:w.size].reshape(n, 2) @ [1, 2] + np.arange(n) // 2 * 4] = values
///     t[p] = np.moveaxis(w.reshape(*shape[:1], *shape[2:], shape[1]), -1, 1) if kind == "indices" else w.reshape(shape)
/// </code>
/// </remarks>
public static class SparseFile
{
    /// <summary>Saves a model's parameters and buffers.</summary>
    /// <param name="model">The model, on any device.</param>
    /// <param name="path">The file; it is replaced as a whole or not at all.</param>
    /// <param name="options">How it is written; by default (null) every bit is kept.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="path"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A tensor has a name or a type that the format does not support, or a weight is beyond the range of
    /// <see cref="SparseFileOptions.Values"/>; nothing is written then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The model is packed: call <see cref="SparseModel.Unpack"/> first; nothing is written then.
    /// </exception>
    /// <exception cref="IOException">The file can't be written; an existing file stays as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    public static void Save(nn.Module model, string path, SparseFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(path);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        options ??= new();
        var rounded = Rounding.Round(StoredModel.TensorsOf(model), options.Values);
        var tensors = options.KeepsNegativeZeros ? rounded : Rounding.WithoutNegativeZeros(rounded);
        var contents = StoredModel.Pack(tensors);
        Safetensors.Save(path, contents.Tensors, FileMetadata.Of(tensors, contents, options.Values));
    }

    /// <summary>The bytes of a tensor in a file, without its entries in the header.</summary>
    /// <param name="tensor">The tensor, on any device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="tensor"/> is null.</exception>
    /// <exception cref="ArgumentException">Files have no such type, as for complex numbers.</exception>
    public static long BytesOf(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        return TensorPacking.BytesOf(tensor);
    }

    /// <summary>Whether a file is a sparse file, by its metadata.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">It is not a safetensors file, or is damaged.</exception>
    public static bool Recognizes(string path) => FileMetadata.Is(Safetensors.LoadMetadata(path));

    /// <summary>Loads a file into a model that has exactly the same names, shapes and types.</summary>
    /// <remarks>
    /// <see cref="SparseModel.Load"/> loads a file into a model that runs on its nonzeros.
    /// </remarks>
    /// <param name="model">The model; its parameters and buffers keep their identity.</param>
    /// <param name="path">The file.</param>
    /// <returns>What was missing or unexpected: at most the batch counters of batch norms.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the model is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is packed: call <see cref="SparseModel.Unpack"/> first; nothing is changed then.
    /// </exception>
    public static LoadResult Load(nn.Module model, string path) => Load(model, path, new LoadOptions());

    /// <summary>Loads a file into a model.</summary>
    /// <param name="model">The model; its parameters and buffers keep their identity.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">
    /// How the file may differ from the model. Values that were rounded when they were saved don't count as a difference.
    /// </param>
    /// <returns>How it differs.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or does not fit; the model is then unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is packed: call <see cref="SparseModel.Unpack"/> first; nothing is changed then.
    /// </exception>
    public static LoadResult Load(nn.Module model, string path, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        var load = new ModelLoad(model, path, options);
        load.Copy(_ => true);
        return load.Result;
    }
}
