using Pdp.Internal;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The values, or gradients, of everything that one mask covers.</summary>
/// <param name="Weight">Those of the weights that make the scores, in the mask's layout.</param>
/// <param name="Along">Those of each bias and norm that is masked too, <c>[channels, …]</c>; null where there is no gradient.</param>
internal sealed record GroupValues(Tensor Weight, Tensor?[] Along)
{
    /// <summary>The same in their arithmetic types.</summary>
    public GroupValues Wide => Select(Precision.Widen);

    public GroupValues Select(Func<Tensor, Tensor> change) =>
        new(change(Weight), [.. Along.Select(values => values is null ? null : change(values))]);

    /// <summary>All values that exist.</summary>
    public IEnumerable<Tensor> All() => Along.OfType<Tensor>().Prepend(Weight);

    /// <summary>Makes them the caller's to dispose.</summary>
    public GroupValues Detached() => Select(values => values.DetachFromDisposeScope());

    public void Release()
    {
        foreach (var values in All())
            values.Dispose();
    }
}
