using TorchSharp;
using static Pdp.Internal.TorchLibrary;
using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>The few native functions of TorchSharp that a step calls for each weight, on native handles.</summary>
/// <remarks>
/// TorchSharp's own <c>grad</c> makes a finalizable object at every call, which would be hundreds in a step. A handle returned here belongs
/// to the caller until <see cref="Release"/>. Nothing else frees it, so the garbage collector can't do so during a call.
/// </remarks>
internal static unsafe class NativeTensor
{
    private static readonly delegate* unmanaged<nint, nint> DataFunction = (delegate* unmanaged<nint, nint>)Export("THSTensor_data");
    private static readonly delegate* unmanaged<nint, nint> GradientFunction = (delegate* unmanaged<nint, nint>)Export("THSTensor_grad");
    private static readonly delegate* unmanaged<nint, nint, void> SetGradientFunction =
        (delegate* unmanaged<nint, nint, void>)Export("THSTensor_set_grad");
    private static readonly delegate* unmanaged<nint, void> DisposeFunction = (delegate* unmanaged<nint, void>)Export("THSTensor_dispose");
    private static readonly delegate* unmanaged<nint, byte> IsContiguousFunction =
        (delegate* unmanaged<nint, byte>)Export("THSTensor_is_contiguous");
    private static readonly delegate* unmanaged<nint, byte> IsSparseFunction =
        (delegate* unmanaged<nint, byte>)Export("THSTensor_is_sparse");
    private static readonly delegate* unmanaged<nint, sbyte> TypeFunction = (delegate* unmanaged<nint, sbyte>)Export("THSTensor_type");
    private static readonly delegate* unmanaged<nint, int> DeviceTypeFunction =
        (delegate* unmanaged<nint, int>)Export("THSTensor_device_type");
    private static readonly delegate* unmanaged<nint, long> CountFunction = (delegate* unmanaged<nint, long>)Export("THSTensor_numel");

    // libtorch's at::TensorBase::_version() const, under the name that compilers on Linux and macOS give it.
    private static readonly delegate* unmanaged<nint, long> VersionFunction =
        (delegate* unmanaged<nint, long>)Export("_ZNK2at10TensorBase8_versionEv");

    // at::native::is_inference(const at::Tensor&), likewise.
    private static readonly delegate* unmanaged<nint, byte> IsInferenceFunction =
        (delegate* unmanaged<nint, byte>)Export("_ZN2at6native12is_inferenceERKNS_6TensorE");

    /// <summary>Whether <see cref="Version"/> can be read on this system.</summary>
    public static bool HasVersions { get; } = VersionFunction != null && IsInferenceFunction != null;

    /// <summary>Whether this version of TorchSharp has the functions.</summary>
    public static bool IsSupported { get; } =
        DataFunction != null && GradientFunction != null && SetGradientFunction != null && DisposeFunction != null
        && IsContiguousFunction != null && IsSparseFunction != null && TypeFunction != null && DeviceTypeFunction != null
        && CountFunction != null;

    /// <summary>The elements of a tensor if they are this many contiguous float32 numbers in the CPU's memory; otherwise null.</summary>
    public static float* Elements(nint tensor, long count)
    {
        var isPlain = DeviceTypeFunction(tensor) == (int)DeviceType.CPU
            && TypeFunction(tensor) == (sbyte)ScalarType.Float32
            && IsSparseFunction(tensor) == 0
            && CountFunction(tensor) == count
            && IsContiguousFunction(tensor) != 0;
        return isPlain ? (float*)DataFunction(tensor) : null;
    }

    /// <summary>The first element of a tensor, in any layout, type and memory.</summary>
    public static void* Data(nint tensor) => (void*)DataFunction(tensor);

    /// <summary>How often a tensor has changed in place; 0 if that can't be read, as of tensors that were made in inference mode.</summary>
    /// <remarks>libtorch throws for these, and nothing could catch that here.</remarks>
    public static long Version(nint tensor) => HasVersions && IsInferenceFunction(tensor) == 0 ? VersionFunction(tensor) : 0;

    /// <summary>Whether two tensors begin at the same address.</summary>
    public static bool IsSameMemory(nint one, nint other) => DataFunction(one) == DataFunction(other);

    /// <summary>A handle of the gradient, which the caller owns; 0 if there is none.</summary>
    public static nint Gradient(nint tensor) => GradientFunction(tensor);

    /// <summary>Sets the gradient, or removes it with 0; the caller still owns the handle.</summary>
    public static void SetGradient(nint tensor, nint gradient) => SetGradientFunction(tensor, gradient);

    /// <summary>Releases a handle.</summary>
    public static void Release(nint tensor)
    {
        if (tensor != 0)
            DisposeFunction(tensor);
    }
}
