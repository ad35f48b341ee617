using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Values, or gradients, of all that stands under one mask.</summary>
/// <param name="Weight">Of the weights that make the scores, in the mask's layout.</param>
/// <param name="Along">Of each thing that is masked along, <c>[channels, …]</c>; null where there is no gradient.</param>
internal sealed record GroupValues(Tensor Weight, Tensor?[] Along)
{
    /// <summary>The same in their arithmetic types.</summary>
    public GroupValues Wide => Select(Precision.Widen);

    public GroupValues Select(Func<Tensor, Tensor> change) => new(change(Weight), [.. Along.Select(values => values is null ? null : change(values))]);

    /// <summary>The values that are there.</summary>
    public IEnumerable<Tensor> All() => Along.OfType<Tensor>().Prepend(Weight);

    /// <summary>Makes them the caller's to dispose.</summary>
    public GroupValues Detached() => Select(values => values.DetachFromDisposeScope());

    public void Release()
    {
        foreach (var values in All())
            values.Dispose();
    }
}
