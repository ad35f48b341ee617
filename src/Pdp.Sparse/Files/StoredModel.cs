using Pdp.Training;
using Pdp.Training.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The tensors of a sparse file, still packed. It works in the caller's dispose scope.</summary>
/// <param name="Plain">Those that are stored as they are, in blocks or under their names.</param>
/// <param name="Packed">The others.</param>
/// <param name="Rounded">The name of the type that weights were rounded to; null if they were not.</param>
internal sealed record StoredModel(
    IReadOnlyDictionary<string, Tensor> Plain, IReadOnlyDictionary<string, PackedTensor> Packed, string? Rounded)
{
    /// <summary>Reads a file and checks that it is as it was written.</summary>
    /// <exception cref="FormatException">It is not, or it contradicts itself.</exception>
    public static StoredModel Read(string path)
    {
        var metadata = Safetensors.LoadMetadata(path);
        var stored = Safetensors.Load(path);
        FileMetadata.Require(metadata, stored);
        var signatures = FileMetadata.Signatures(metadata);
        var packed = stored.Keys.Where(name => name.EndsWith(Parts.Values, StringComparison.Ordinal))
            .Select(name => PackedTensor.Find(name[..^Parts.Values.Length], stored, signatures))
            .ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var vectors = Vectors.Split(signatures.Where(entry => !packed.ContainsKey(entry.Key)), stored);
        var parts = packed.Values.SelectMany(tensor => tensor.PartNames)
            .Concat(vectors.Values.Select(vector => Vectors.BlockOf(vector.dtype)))
            .ToHashSet(StringComparer.Ordinal);
        var plain = stored.Where(entry => !parts.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal);
        return signatures.Keys.FirstOrDefault(plain.ContainsKey) is { } twice
            ? throw new FormatException($"has '{twice}' both as it is and in parts or a block")
            : new(plain.Concat(vectors).ToDictionary(StringComparer.Ordinal), packed, FileMetadata.RoundedTo(metadata));
    }

    /// <summary>The parameters and buffers of a model.</summary>
    /// <exception cref="InvalidOperationException">It is packed and has no dense weights.</exception>
    public static Dictionary<string, Tensor> TensorsOf(nn.Module model)
    {
        var tensors = model.state_dict();
        return tensors.FirstOrDefault(entry => entry.Value.is_sparse || entry.Value.device_type == DeviceType.META).Key is { } name
            ? throw new InvalidOperationException(
                $"'{name}' has no dense values, as in a packed model: save it before Pack, or call Unpack() first.")
            : tensors;
    }

    /// <summary>What is stored for the tensors of a model.</summary>
    /// <exception cref="ArgumentException">A name of a tensor is that of a part, or one of the file's own.</exception>
    public static FileContents Pack(IReadOnlyDictionary<string, Tensor> model)
    {
        var stored = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var vectors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (owner, tensor) in model)
        {
            var parts = TensorPacking.Pack(owner, tensor);
            RequireNames(owner, isPacked: parts.Count > 0, model);
            foreach (var (name, part) in parts)
                stored.Add(name, part);
            if (parts.Count == 0)
                (Vectors.Include(tensor) ? vectors : stored).Add(owner, tensor);
        }

        var signatures = model.Where(entry => !stored.ContainsKey(entry.Key))
            .ToDictionary(entry => entry.Key, entry => Signature.TextOf(entry.Value), StringComparer.Ordinal);
        return new(stored.Concat(Vectors.Join(vectors)).ToDictionary(StringComparer.Ordinal), signatures);
    }

    /// <summary>The tensors: rounded ones in the types of a model's, and packed ones without memory.</summary>
    public Dictionary<string, Tensor> Outlines(IReadOnlyDictionary<string, Tensor> model) =>
        Plain.Concat(Packed.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Outline())))
            .ToDictionary(entry => entry.Key, entry => Widened(entry.Key, entry.Value, model), StringComparer.Ordinal);

    /// <summary>Checks the places of the values that a model has; nothing is unpacked.</summary>
    /// <param name="model">The model's tensors, which the outlines were checked against.</param>
    /// <exception cref="FormatException">A packed tensor contradicts itself.</exception>
    public void RequirePlaces(IReadOnlyDictionary<string, Tensor> model)
    {
        foreach (var packed in Packed.Values.Where(packed => model.ContainsKey(packed.Name)))
            packed.RequirePlaces();
    }

    /// <summary>A tensor, dense.</summary>
    public Tensor Unpack(string name) => Packed.TryGetValue(name, out var packed) ? packed.Unpack() : Plain[name];

    private static void RequireNames(string owner, bool isPacked, IReadOnlyDictionary<string, Tensor> model)
    {
        var clash = owner.EndsWith(Parts.Values, StringComparison.Ordinal) || FileMetadata.IsOwn(owner) ? owner
            : isPacked ? Parts.Of(owner).FirstOrDefault(model.ContainsKey)
            : null;
        if (clash is not null)
            throw new ArgumentException(
                $"A sparse file cannot hold a tensor named '{clash}': it uses this name for parts or for itself. Rename the tensor.");
    }

    private Tensor Widened(string name, Tensor tensor, IReadOnlyDictionary<string, Tensor> model) =>
        model.TryGetValue(name, out var target) && WasRounded(tensor, target) ? tensor.to_type(target.dtype) : tensor;

    // Only weights are rounded: a vector of halves belongs to a model of halves.
    private bool WasRounded(Tensor tensor, Tensor target) =>
        Rounded is not null && tensor.dim() >= 2 && SafetensorsType.Name(tensor.dtype) == Rounded
        && target.dtype is ScalarType.Float32 or ScalarType.Float64;
}
