using static TorchSharp.torch;

namespace Pdp.Sparse.Hooks;

/// <summary>Remembers a small tensor that was copied into a packed form, and checks that it still holds the same numbers.</summary>
internal sealed class WatchedValue
{
    private readonly string _name;
    private readonly Func<Tensor?> _read;
    private readonly byte[]? _bytes;

    /// <summary>Remembers a tensor.</summary>
    /// <param name="name">Its name in messages.</param>
    /// <param name="read">Reads the current tensor: float32 on the CPU, or null.</param>
    public WatchedValue(string name, Func<Tensor?> read)
    {
        (_name, _read) = (name, read);
        if (read() is { } tensor)
        {
            using var contiguous = tensor.detach().contiguous();
            _bytes = contiguous.bytes.ToArray();
        }
    }

    /// <summary>Checks the tensor.</summary>
    /// <exception cref="InvalidOperationException">It has other numbers, another type, or is gone.</exception>
    public void Require()
    {
        var tensor = _read();
        if (tensor is null ? _bytes is null : _bytes is not null && IsSame(tensor, _bytes))
            return;
        throw new InvalidOperationException(
            $"'{_name}' of a packed model was changed: call Unpack() before weights are loaded, moved or changed, and pack afterwards.");
    }

    private static bool IsSame(Tensor tensor, byte[] bytes)
    {
        if (tensor.IsInvalid || tensor.dtype != ScalarType.Float32 || tensor.device_type != TorchSharp.DeviceType.CPU)
            return false;
        if (tensor.is_contiguous())
        {
            var same = tensor.bytes.SequenceEqual(bytes);
            GC.KeepAlive(tensor);
            return same;
        }

        using var contiguous = tensor.detach().contiguous();
        return contiguous.bytes.SequenceEqual(bytes);
    }
}
