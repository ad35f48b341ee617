using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>A module that holds tensors and computes nothing. It owns them.</summary>
internal sealed class Bag : nn.Module
{
    public Bag(params (string Name, Tensor Tensor)[] tensors)
        : base(nameof(Bag))
    {
        foreach (var (name, tensor) in tensors)
            register_buffer(name, tensor.DetachFromDisposeScope());
    }

    /// <summary>The type, shape and bytes of each tensor of a module.</summary>
    public static SortedDictionary<string, string> Contents(nn.Module module)
    {
        using var scope = NewDisposeScope();
        return new(module.state_dict().ToDictionary(entry => entry.Key, entry => Contents(entry.Value)), StringComparer.Ordinal);
    }

    /// <summary>Random elements of any type, most of them zero; the others are of any bits, with −0 and NaN among them.</summary>
    public static Tensor Random(long[] shape, ScalarType type, double sparsity, int seed)
    {
        var random = new Random(seed);
        var tensor = zeros(shape, dtype: type);
        var bytes = tensor.numel() == 0 ? [] : tensor.bytes;
        var width = (int)tensor.element_size();
        for (var i = 0; i < bytes.Length; i += width)
        {
            if (random.NextDouble() < sparsity)
                continue;
            if (type == ScalarType.Bool)
                bytes[i] = 1;
            else if (random.Next(8) == 0)
                bytes[i + width - 1] = 0x80;
            else
                random.NextBytes(bytes.Slice(i, width));
        }

        GC.KeepAlive(tensor);
        return tensor;
    }

    private static string Contents(Tensor tensor) =>
        $"{tensor.dtype} [{string.Join(", ", tensor.shape)}] {(tensor.numel() == 0 ? "" : Convert.ToHexString(tensor.bytes))}";
}
