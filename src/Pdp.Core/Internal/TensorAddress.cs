using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>The addresses of tensors, which identify tied parameters: TorchSharp may give the same one in two wrappers.</summary>
internal static class TensorAddress
{
    private static readonly unsafe delegate* unmanaged<nint, nint> DataFunction =
        (delegate* unmanaged<nint, nint>)TorchLibrary.Export("THSTensor_data");

    /// <summary>The address of the first element of a tensor with elements, on its own device.</summary>
    public static nint Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var address = tensor.device_type == DeviceType.CPU ? OnHost(tensor) : OnDevice(tensor);
        GC.KeepAlive(tensor);
        return address;
    }

    /// <summary>
    /// The native tensor of a wrapper, which also holds the gradient. TorchSharp's handle points to an at::Tensor, which is a pointer to
    /// it.
    /// </summary>
    public static unsafe nint OfNative(Tensor tensor)
    {
        var native = *(nint*)tensor.Handle;
        GC.KeepAlive(tensor);
        return native;
    }

    private static unsafe nint OnHost(Tensor tensor)
    {
        // A single element is contiguous and small, unlike a whole tensor.
        var first = tensor.detach().as_strided([1], [1], tensor.storage_offset());
        return (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }

    /// <summary>The same on any device; without TorchSharp's function for it, the wrappers of half-precision tensors have to do.</summary>
    internal static unsafe nint OnDevice(Tensor tensor) => tensor.dtype switch
    {
        _ when DataFunction != null => DataFunction(tensor.Handle),
        ScalarType.Float32 => tensor.storage<float>().data_ptr() + (nint)(tensor.storage_offset() * sizeof(float)),
        ScalarType.Float64 => tensor.storage<double>().data_ptr() + (nint)(tensor.storage_offset() * sizeof(double)),
        _ => tensor.Handle,
    };
}
