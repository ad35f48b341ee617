using Pdp.Training;
using Pdp.Training.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The tensors of a sparse file, still packed. It works in the caller's dispose scope.</summary>
/// <param name="Plain">Those that are stored as they are.</param>
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
        var packed = stored.Keys.Where(name => name.EndsWith(Parts.Values, StringComparison.Ordinal))
            .Select(name => PackedTensor.Find(name[..^Parts.Values.Length], stored))
            .ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var parts = packed.Values.SelectMany(tensor => tensor.PartNames).ToHashSet(StringComparer.Ordinal);
        var plain = stored.Where(entry => !parts.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal);
        return packed.Keys.FirstOrDefault(plain.ContainsKey) is { } twice
            ? throw new FormatException($"has '{twice}' both as it is and packed")
            : new(plain, packed, FileMetadata.RoundedTo(metadata));
    }

    /// <summary>The parameters and buffers of a model.</summary>
    /// <exception cref="InvalidOperationException">It is packed: weights are away.</exception>
    public static Dictionary<string, Tensor> TensorsOf(nn.Module model)
    {
        var tensors = model.state_dict();
        return tensors.FirstOrDefault(entry => entry.Value.is_sparse || entry.Value.device_type == DeviceType.META).Key is { } name
            ? throw new InvalidOperationException(
                $"'{name}' has no dense values, as in a packed model: save it before Pack, or call Unpack() first.")
            : tensors;
    }

    /// <summary>The tensors that are stored for those of a model, by name.</summary>
    /// <exception cref="ArgumentException">A name of a tensor is that of a part.</exception>
    public static IReadOnlyDictionary<string, Tensor> Pack(IReadOnlyDictionary<string, Tensor> model)
    {
        var stored = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (owner, tensor) in model)
        {
            var parts = TensorPacking.Pack(owner, tensor);
            RequireNames(owner, isPacked: parts.Count > 1, model);
            foreach (var (name, part) in parts)
                stored.Add(name, part);
        }

        return stored;
    }

    /// <summary>The tensors, rounded ones with the types of a model's, and packed ones without memory.</summary>
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
        var clash = owner.EndsWith(Parts.Values, StringComparison.Ordinal) ? owner
            : isPacked ? Parts.Of(owner).FirstOrDefault(model.ContainsKey)
            : null;
        if (clash is not null)
            throw new ArgumentException($"A sparse file cannot hold a tensor named '{clash}', as it names parts of others so: rename it.");
    }

    private Tensor Widened(string name, Tensor tensor, IReadOnlyDictionary<string, Tensor> model) =>
        model.TryGetValue(name, out var target) && WasRounded(tensor, target) ? tensor.to_type(target.dtype) : tensor;

    // Only weights are rounded: a vector of halves belongs to a model of halves.
    private bool WasRounded(Tensor tensor, Tensor target) =>
        Rounded is not null && tensor.dim() >= 2 && SafetensorsType.Name(tensor.dtype) == Rounded
        && target.dtype is ScalarType.Float32 or ScalarType.Float64;
}
