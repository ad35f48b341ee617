using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The slices of parameters that belong to the same channels: filters, read and written side by side, and their companions.</summary>
internal sealed class TiedSlices(IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions)
{
    private readonly SliceView[] _filters = [.. filters];
    private readonly SliceView[] _companions = [.. companions];

    /// <summary>The parameters, each once.</summary>
    public Parameter[] Parameters { get; } = [.. filters.Concat(companions).Select(view => view.Parameter).Distinct()];

    /// <summary>For each companion, whether it is a bias, which is masked as the filters are.</summary>
    public bool[] AreBiases { get; } = [.. companions.Select(view => view.Role == ChannelRole.Bias)];

    /// <summary>The weights of one channel over all filters.</summary>
    public long Width => _filters.Sum(view => view.Width);

    /// <summary>The filters, <c>[channels, weights]</c>; a copy.</summary>
    public Tensor Filters()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return cat([.. _filters.Select(view => view.Read())], 1).MoveToOuterDisposeScope();
    }

    /// <summary>The companions, <c>[channels, …]</c> each; copies.</summary>
    public Tensor[] Companions() => [.. _companions.Select(view => view.Read())];

    /// <summary>Writes the filters and each companion.</summary>
    public void Write(Tensor filters, Tensor[] companions)
    {
        ForEachFilter(filters, (view, values) => view.Write(values));
        foreach (var (view, values) in _companions.Zip(companions))
            view.Write(values);
    }

    /// <summary>The gradient of the filters, with zeros for those that have none, and of each companion; null for the filters if nothing has one.</summary>
    public (Tensor? Filters, Tensor?[] Companions) Gradients()
    {
        foreach (var parameter in Parameters)
            DenseGradient.Of(parameter)?.Dispose();
        var companions = _companions.Select(view => view.ReadGradient()).ToArray();
        var filters = _filters.Select(view => view.ReadGradient()).ToArray();
        return filters.Concat(companions).All(gradient => gradient is null)
            ? (null, companions)
            : (cat([.. filters.Zip(_filters, (gradient, view) => gradient ?? view.Read().zero_())], 1), companions);
    }

    /// <summary>Writes gradients where there are some.</summary>
    public void WriteGradients(Tensor filters, Tensor?[] companions)
    {
        ForEachFilter(filters, (view, values) => view.WriteGradient(values));
        foreach (var (view, values) in _companions.Zip(companions))
        {
            if (values is not null)
                view.WriteGradient(values);
        }
    }

    private void ForEachFilter(Tensor sideBySide, Action<SliceView, Tensor> act)
    {
        var offset = 0L;
        foreach (var view in _filters)
        {
            act(view, sideBySide.narrow(1, offset, view.Width));
            offset += view.Width;
        }
    }
}
