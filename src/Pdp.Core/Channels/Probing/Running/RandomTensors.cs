using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Running;

/// <summary>Random tensors from a seed, the same on all devices.</summary>
internal sealed class RandomTensors(ulong seed) : IDisposable
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Generator _random = new(seed, CPU);

    /// <summary>Normal numbers with a standard deviation, with the type and device of another tensor.</summary>
    public Tensor Normal(long[] shape, double deviation, Tensor like)
    {
        using var scope = NewDisposeScope();
        using Scalar scale = deviation.ToScalar();
        return randn(shape, ScalarType.Float32, CPU, generator: _random).mul_(scale).to(like.dtype, like.device).MoveToOuterDisposeScope();
    }

    /// <summary>Numbers in [from, to).</summary>
    public Tensor Uniform(long[] shape, double from, double to, Tensor like)
    {
        using var scope = NewDisposeScope();
        using Scalar length = (to - from).ToScalar(), start = from.ToScalar();
        var unit = rand(shape, like.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32, CPU, generator: _random);
        return unit.mul_(length).add_(start, One).to(like.dtype, like.device).MoveToOuterDisposeScope();
    }

    /// <summary>Whole numbers in [from, to].</summary>
    public Tensor Whole(long[] shape, long from, long to, Tensor like)
    {
        using var scope = NewDisposeScope();
        using Scalar count = ((double)(to - from + 1)).ToScalar(), start = ((double)from).ToScalar();
        var unit = rand(shape, ScalarType.Float64, CPU, generator: _random);
        return unit.mul_(count).floor_().add_(start, One).to(like.dtype, like.device).MoveToOuterDisposeScope();
    }

    public void Dispose() => _random.Dispose();
}
