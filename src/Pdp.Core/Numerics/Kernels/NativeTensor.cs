using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>The few of TorchSharp's native functions that a step calls for each weight, on native handles.</summary>
/// <remarks>
/// TorchSharp's own <c>grad</c> makes a finalizable object at every call, which a step of a hundred layers need not. A handle got here is
/// the caller's until <see cref="Release"/>; nothing else frees it, so that the garbage collector can't do so during a call.
/// </remarks>
internal static unsafe class NativeTensor
{
    private static readonly nint Library =
        NativeLibrary.TryLoad("LibTorchSharp", typeof(Tensor).Assembly, null, out var library) ? library : 0;

    private static readonly delegate* unmanaged<nint, nint> DataFunction = (delegate* unmanaged<nint, nint>)Export("THSTensor_data");
    private static readonly delegate* unmanaged<nint, nint> GradientFunction = (delegate* unmanaged<nint, nint>)Export("THSTensor_grad");
    private static readonly delegate* unmanaged<nint, nint, void> SetGradientFunction = (delegate* unmanaged<nint, nint, void>)Export("THSTensor_set_grad");
    private static readonly delegate* unmanaged<nint, void> DisposeFunction = (delegate* unmanaged<nint, void>)Export("THSTensor_dispose");
    private static readonly delegate* unmanaged<nint, byte> IsContiguousFunction = (delegate* unmanaged<nint, byte>)Export("THSTensor_is_contiguous");
    private static readonly delegate* unmanaged<nint, byte> IsSparseFunction = (delegate* unmanaged<nint, byte>)Export("THSTensor_is_sparse");
    private static readonly delegate* unmanaged<nint, sbyte> TypeFunction = (delegate* unmanaged<nint, sbyte>)Export("THSTensor_type");
    private static readonly delegate* unmanaged<nint, int> DeviceTypeFunction = (delegate* unmanaged<nint, int>)Export("THSTensor_device_type");
    private static readonly delegate* unmanaged<nint, long> CountFunction = (delegate* unmanaged<nint, long>)Export("THSTensor_numel");

    // libtorch's at::TensorBase::_version() const, by the name that compilers on Linux and macOS give it.
    private static readonly delegate* unmanaged<nint, long> VersionFunction = (delegate* unmanaged<nint, long>)Export("_ZNK2at10TensorBase8_versionEv");

    /// <summary>Whether the number of changes to a tensor can be read here.</summary>
    public static bool HasVersions { get; } = VersionFunction != null;

    /// <summary>Whether this version of TorchSharp has the functions.</summary>
    public static bool IsSupported { get; } =
        DataFunction != null && GradientFunction != null && SetGradientFunction != null && DisposeFunction != null && IsContiguousFunction != null
        && IsSparseFunction != null && TypeFunction != null && DeviceTypeFunction != null && CountFunction != null;

    /// <summary>The elements of a tensor if they are this many float32 numbers side by side in the CPU's memory; else null.</summary>
    public static float* Elements(nint tensor, long count)
    {
        var isPlain = DeviceTypeFunction(tensor) == (int)DeviceType.CPU
            && TypeFunction(tensor) == (sbyte)ScalarType.Float32
            && IsSparseFunction(tensor) == 0
            && CountFunction(tensor) == count
            && IsContiguousFunction(tensor) != 0;
        return isPlain ? (float*)DataFunction(tensor) : null;
    }

    /// <summary>How often a tensor that was not made in inference mode has been changed in place; 0 where that can't be read.</summary>
    public static long Version(nint tensor) => HasVersions ? VersionFunction(tensor) : 0;

    /// <summary>Whether two tensors begin at the same place.</summary>
    public static bool IsSameMemory(nint one, nint other) => DataFunction(one) == DataFunction(other);

    /// <summary>A handle of the gradient, the caller's; 0 if there is none.</summary>
    public static nint Gradient(nint tensor) => GradientFunction(tensor);

    /// <summary>Sets the gradient, or drops it with 0; the handle stays the caller's.</summary>
    public static void SetGradient(nint tensor, nint gradient) => SetGradientFunction(tensor, gradient);

    /// <summary>Gives a handle back.</summary>
    public static void Release(nint tensor)
    {
        if (tensor != 0)
            DisposeFunction(tensor);
    }

    /// <summary>The address of a function of TorchSharp's native library or of those that it loads; 0 if there is none.</summary>
    public static nint Export(string name) =>
        Library != 0 && NativeLibrary.TryGetExport(Library, name, out var address) ? address : 0;
}
