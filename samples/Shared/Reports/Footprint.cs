using Pdp.Sparse;
using static TorchSharp.torch;

namespace Pdp.Samples.Reports;

/// <summary>What a network takes up.</summary>
/// <param name="Parameters">Its parameters; tied ones count once.</param>
/// <param name="Zeros">Those that are exactly zero.</param>
/// <param name="Bytes">The bytes of all of them.</param>
/// <param name="PackedBytes">The bytes in a sparse file.</param>
/// <param name="Macs">The multiply-accumulates of a forward pass of one input; null if they are not known.</param>
internal sealed record Footprint(long Parameters, long Zeros, long Bytes, long PackedBytes, long? Macs)
{
    /// <summary>The footprint of a network as it is now.</summary>
    public static Footprint Of(nn.Module model, long? macs)
    {
        var total = new Footprint(0, 0, 0, 0, macs);
        foreach (var parameter in model.parameters())
        {
            total = total.With(parameter);
        }

        return total;
    }

    private Footprint With(Tensor parameter)
    {
        using var scope = NewDisposeScope();
        var (count, size) = (parameter.numel(), parameter.element_size());
        var kept = parameter.detach().count_nonzero().cpu().ReadCpuInt64(0);
        return this with
        {
            Parameters = Parameters + count,
            Zeros = Zeros + count - kept,
            Bytes = Bytes + (count * size),
            PackedBytes = PackedBytes + SparseFile.BytesOf(parameter),
        };
    }
}
