using Pdp.Internal;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>Detects whether tensors are changed in place from now on, by libtorch's version counters; not on Windows.</summary>
internal sealed unsafe class VersionWatch
{
    // at::native::is_inference(const at::Tensor&), under the name that compilers on Linux and macOS give it.
    private static readonly delegate* unmanaged<nint, byte> IsInferenceFunction =
        (delegate* unmanaged<nint, byte>)TorchLibrary.Export("_ZN2at6native12is_inferenceERKNS_6TensorE");

    private readonly Tensor[] _tensors;
    private readonly long _version;

    /// <summary>Remembers the versions of tensors, which are borrowed.</summary>
    public VersionWatch(params Tensor[] tensors)
    {
        _tensors = [.. tensors.Where(HasVersion)];
        _version = Version();
    }

    /// <summary>Whether all tensors are as they were.</summary>
    public bool IsUnchanged => Version() == _version;

    // Reading the version of a tensor that was made in inference mode is an error.
    private static bool HasVersion(Tensor tensor) => IsInferenceFunction != null && IsInferenceFunction(tensor.Handle) == 0;

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
