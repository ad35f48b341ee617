using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Layers;

/// <summary>The memory of a parameter.</summary>
internal sealed class Footprint
{
    private readonly (long Size, long Step)[] _dimensions;
    private readonly long _bytes;
    private readonly bool _isContiguous;

    public Footprint(string name, Parameter parameter)
    {
        _bytes = parameter.ElementSize;
        Name = name;
        Self = TensorAddress.OfNative(parameter);
        Low = TensorAddress.Of(parameter);
        _dimensions = [.. parameter.shape.Zip(parameter.stride(), (size, stride) => (size, stride * _bytes))];
        _isContiguous = parameter.is_contiguous();
        High = Low + _bytes + _dimensions.Sum(dimension => (dimension.Size - 1) * dimension.Step);
    }

    public string Name { get; }

    /// <summary>The native tensor, which tied parameters share.</summary>
    public nint Self { get; }

    /// <summary>The address of the first element.</summary>
    public long Low { get; }

    /// <summary>The address just past the last element.</summary>
    public long High { get; }

    /// <summary>Whether some of its elements share memory, as in an expanded tensor.</summary>
    public bool IsFolded => !IsSpread() && Elements().Distinct().LongCount() < Elements().LongCount();

    /// <summary>
    /// Whether the addresses of a parameter can be determined; for types that aren't floating-point numbers, they can on the CPU alone.
    /// </summary>
    public static bool IsKnown(Parameter parameter) =>
        parameter.numel() > 0 && !parameter.is_sparse
            && (parameter.device_type == DeviceType.CPU
                || parameter.dtype is ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16);

    /// <summary>Whether it shares memory with another parameter.</summary>
    public bool Overlaps(Footprint other) =>
        Low < other.High
            && other.Low < High
            && (Low == other.Low || (_isContiguous && other._isContiguous) || Elements().Intersect(other.Elements()).Any());

    /// <summary>
    /// Whether each dimension's stride exceeds the span of the smaller ones, as in contiguous and transposed tensors: then no two elements
    /// share memory.
    /// </summary>
    private bool IsSpread()
    {
        var reach = _bytes;
        foreach (var (size, step) in _dimensions.Where(dimension => dimension.Size > 1).OrderBy(dimension => dimension.Step))
        {
            if (step < reach)
                return false;
            reach += (size - 1) * step;
        }

        return true;
    }

    /// <summary>The addresses of the elements.</summary>
    private IEnumerable<long> Elements() => _dimensions.Aggregate(
        (IEnumerable<long>)[Low],
        (addresses, dimension) => addresses.SelectMany(address => Enumerable.Range(0, (int)dimension.Size)
            .Select(i => address + (i * dimension.Step))));
}
