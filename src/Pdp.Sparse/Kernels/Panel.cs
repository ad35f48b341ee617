namespace Pdp.Sparse.Kernels;

/// <summary>The nonzeros of up to <see cref="PackedMatrix.PanelRows"/> rows in one block of columns.</summary>
/// <remarks>Rows with few nonzeros come first, so that the processor predicts where the loops over them end.</remarks>
internal readonly unsafe ref struct Panel
{
    /// <summary>The rows, by increasing number of nonzeros.</summary>
    public required PackedRow* Rows { get; init; }

    /// <summary>How many rows there are.</summary>
    public required int Count { get; init; }

    /// <summary>For each nonzero its column within the block, times <see cref="PackedMatrix.IndexUnit"/>.</summary>
    public required ushort* Indices { get; init; }

    /// <summary>The nonzeros.</summary>
    public required float* Values { get; init; }
}
