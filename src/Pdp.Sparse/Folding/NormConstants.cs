using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Sparse.Folding;

/// <summary>A batch norm in evaluation mode as y = s·x + (β − s·μ), in float64. The tensors belong to the current dispose scope.</summary>
internal sealed class NormConstants
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Tensor _mean;
    private readonly Tensor? _offset;

    public NormConstants(BatchNorm norm)
    {
        using Scalar epsilon = norm.eps.ToScalar();
        _mean = Double(norm.running_mean!);
        _offset = norm.bias is null ? null : Double(norm.bias);
        var inverse = Double(norm.running_var!).add(epsilon, One).rsqrt();
        Scale = norm.weight is null ? inverse : inverse.mul(Double(norm.weight));
    }

    /// <summary>s = γ / √(σ² + ε), for each channel.</summary>
    public Tensor Scale { get; }

    /// <summary>s·(b − μ) + β.</summary>
    public Tensor Shift(Tensor? bias)
    {
        var centred = bias is null ? _mean.neg() : Double(bias).sub(_mean);
        var shift = centred.mul(Scale);
        return _offset is null ? shift : shift.add(_offset, One);
    }

    private static Tensor Double(Tensor tensor) => tensor.detach().to_type(ScalarType.Float64);
}
