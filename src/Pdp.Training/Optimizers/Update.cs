using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>A parameter that has a gradient, at one step.</summary>
internal readonly record struct Update(Slot Slot, Tensor Gradient)
{
    /// <summary>Whether libtorch's fused kernels support it: they read all buffers from end to end.</summary>
    public bool IsFusible =>
        Slot.Parameter.dtype == ScalarType.Float32 && Slot.Parameter.device_type == TorchSharp.DeviceType.CPU
        && Slot.Parameter.is_contiguous() && Gradient.is_contiguous() && Array.TrueForAll(Slot.State, state => state.is_contiguous());
}
