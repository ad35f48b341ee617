using Pdp.Training.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>Rounds the weights that are stored. It works in the caller's dispose scope.</summary>
internal static class Rounding
{
    private static readonly Scalar Zero = 0.ToScalar();

    /// <summary>The tensors, with those of two or more dimensions rounded to a type.</summary>
    /// <exception cref="ArgumentException">A weight is beyond the type's range.</exception>
    public static Dictionary<string, Tensor> Round(IReadOnlyDictionary<string, Tensor> tensors, ScalarType? type) =>
        tensors.ToDictionary(
            entry => entry.Key,
            entry => type is { } narrow && IsWider(entry.Value, narrow) ? Round(entry.Key, entry.Value, narrow) : entry.Value,
            StringComparer.Ordinal);

    /// <summary>The tensors, with 0 instead of −0.</summary>
    public static Dictionary<string, Tensor> WithoutNegativeZeros(IReadOnlyDictionary<string, Tensor> tensors) =>
        tensors.ToDictionary(
            entry => entry.Key,
            entry => entry.Value.is_floating_point() ? entry.Value.detach().masked_fill(entry.Value.eq(Zero), Zero) : entry.Value,
            StringComparer.Ordinal);

    private static bool IsWider(Tensor tensor, ScalarType than) =>
        tensor.dim() >= 2 && tensor.is_floating_point() && SafetensorsType.Width(tensor.dtype) > SafetensorsType.Width(than);

    private static Tensor Round(string name, Tensor tensor, ScalarType type)
    {
        var rounded = tensor.detach().to_type(type);
        return rounded.isinf().sum().cpu().ReadCpuInt64(0) == tensor.isinf().sum().cpu().ReadCpuInt64(0)
            ? rounded
            : throw new ArgumentException($"'{name}' has values beyond the range of {type}: save it as {ScalarType.BFloat16} or as it is.");
    }
}
