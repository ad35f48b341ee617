using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>Detects whether tensors are changed in place from now on, by libtorch's version counters; not on Windows.</summary>
internal sealed class VersionWatch
{
    private readonly Tensor[] _tensors;
    private readonly long _version;

    /// <summary>Remembers the versions of tensors, which are borrowed.</summary>
    public VersionWatch(params Tensor[] tensors)
    {
        _tensors = tensors;
        _version = Version();
    }

    /// <summary>Whether all tensors are as they were.</summary>
    public bool IsUnchanged => Version() == _version;

    // Versions only grow, so that their sum shows every change.
    private long Version()
    {
        var version = 0L;
        foreach (var tensor in _tensors)
        {
            version += NativeTensor.Version(tensor.Handle);
            GC.KeepAlive(tensor);
        }

        return version;
    }
}
