using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>Packs the weights of layers.</summary>
/// <remarks>The weight and the bias, float32 on the CPU, are copied; the caller may free them.</remarks>
internal static class SparseProduct
{
    /// <summary>y = W·x + b.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="epilogue">What happens to the product.</param>
    public static ISparseProduct Linear(Tensor weight, Epilogue epilogue)
    {
        Rehearsal.OfLinear();
        return new SparseLinear(weight, epilogue);
    }

    /// <summary>A convolution with one group and zero padding.</summary>
    /// <param name="weight">[out, in, width] or [out, in, height, width].</param>
    /// <param name="axes">One for each axis of the picture, in the order of the weight's dimensions.</param>
    /// <param name="epilogue">What happens to the product.</param>
    public static ISparseProduct Convolution(Tensor weight, IReadOnlyList<ConvolutionAxis> axes, Epilogue epilogue)
    {
        Rehearsal.OfConvolution();
        return new SparseConvolution(weight, axes, epilogue);
    }

    /// <summary>Why a layer with such a weight can't be packed; null if it can.</summary>
    /// <param name="weight">The dense weight.</param>
    /// <param name="groups">The groups of a convolution; 1 for a linear layer.</param>
    public static string? Obstacle(Tensor weight, long groups)
    {
        if (weight.dtype != ScalarType.Float32)
            return $"its weight is {weight.dtype}, not Float32";
        if (weight.device_type != TorchSharp.DeviceType.CPU)
            return $"its weight is on {weight.device_type}, not on the CPU";
        if (groups != 1)
            return $"it has {groups} groups, which have too few weights each";
        return weight.dim() is < 2 or > 4 ? $"its weight has {weight.dim()} dimensions" : null;
    }
}
