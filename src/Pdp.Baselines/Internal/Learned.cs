using Pdp.Methods;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>What methods learn besides the weights.</summary>
internal static class Learned
{
    private static readonly Scalar One = 1.ToScalar();

    /// <summary>Makes a parameter beside a layer's weight, on its device and in its arithmetic type; outside of dispose scopes, the caller's.</summary>
    /// <remarks>Tied channels have no one weight: theirs is float32 on the CPU.</remarks>
    public static Parameter Beside(MethodLayer layer, long[] shape, double start)
    {
        using var scope = NewDisposeScope();
        using Scalar value = start.ToScalar();
        var type = layer.Weight?.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var parameter = new Parameter(full(shape, value, dtype: type, device: layer.Weight?.device ?? CPU));
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Adds to the gradient of a parameter, and disposes of what was added.</summary>
    public static void AddGradient(Parameter parameter, Tensor gradient)
    {
        using var added = gradient;
        using var earlier = parameter.grad;
        // Setting it takes the tensor out of its scope.
        if (earlier is null)
            parameter.grad = added;
        else
            earlier.add_(added, One);
    }
}
