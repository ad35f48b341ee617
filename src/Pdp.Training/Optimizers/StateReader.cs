using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>Reads an optimizer's state and validates all of it.</summary>
internal sealed class StateReader(IReadOnlyDictionary<string, Tensor> state, IReadOnlyList<string> names)
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public double[] Rates(string name, int groups)
    {
        var rates = Find(name) is { dtype: ScalarType.Float64 } tensor && tensor.shape is [var count] && count == groups
            ? tensor.cpu().data<double>().ToArray()
            : throw Wrong($"'{name}' must be float64 [{groups}], one number for each group");
        return Array.TrueForAll(rates, rate => rate >= 0 && double.IsFinite(rate))
            ? rates
            : throw Wrong($"'{name}' holds {string.Join(", ", rates)}, where numbers in [0, ∞) are expected");
    }

    /// <summary>The number of steps of a parameter; 0 if the state does not hold it.</summary>
    public long Steps(Slot slot)
    {
        var name = StateKeys.Step(slot.Name);
        if (Find(name) is not { } tensor)
        {
            return 0;
        }

        return tensor.dtype == ScalarType.Int64 && tensor.dim() == 0 && tensor.cpu().ReadCpuInt64(0) is > 0 and var steps
            ? steps
            : throw Wrong($"'{name}' must be an int64 of at least 1");
    }

    /// <summary>Validated copies of a parameter's state on its device; none if it has taken no step.</summary>
    public Tensor[] Copies(Slot slot, long steps) =>
        steps == 0 ? [] : [.. names.Select(name => Copy(slot, StateKeys.Of(slot.Name, name)))];

    /// <exception cref="ArgumentException">The state holds something that belongs to no parameter.</exception>
    public void RequireAllRead()
    {
        if (state.Keys.Where(name => !_read.Contains(name)).ToArray() is [_, ..] left)
        {
            var more = left.Length > 5 ? $" and {left.Length - 5} more" : "";
            throw Wrong($"no parameter has {string.Join(", ", left.Take(5).Select(name => $"'{name}'"))}{more}");
        }
    }

    public static void RequireShape(Slot slot, string name, Tensor tensor)
    {
        if (!tensor.shape.AsSpan().SequenceEqual(slot.Parameter.shape))
        {
            throw Wrong($"'{name}' is [{string.Join(", ", tensor.shape)}], and the parameter [{string.Join(", ", slot.Parameter.shape)}]");
        }
    }

    public static ArgumentException Unknown(string name, IEnumerable<string> parameters) =>
        Wrong($"no parameter is named '{name}'; there are {string.Join(", ", parameters)}");

    private static ArgumentException Wrong(string what) => new($"The state does not fit this optimizer: {what}.");

    private Tensor? Find(string name)
    {
        _read.Add(name);
        return state.GetValueOrDefault(name);
    }

    private Tensor Copy(Slot slot, string name)
    {
        var tensor = Find(name) ?? throw Wrong($"'{name}' is missing");
        RequireShape(slot, name, tensor);
        return tensor.dtype == slot.Parameter.dtype
            ? tensor.to(slot.Parameter.device, copy: true).contiguous()
            : throw Wrong($"'{name}' is {tensor.dtype}, and the parameter {slot.Parameter.dtype}");
    }
}
