namespace Pdp.Sparse.Kernels;

/// <summary>Reads the nonzeros of a packed matrix back.</summary>
internal static unsafe class PackedMatrixReader
{
    /// <summary>Writes the nonzeros of a matrix to their places in the dense one, row by row; the rest is left as it is.</summary>
    public static void Unpack(this PackedMatrix matrix, Span<float> weight)
    {
        for (var block = 0; block < matrix.Blocks; block++)
        {
            for (var panel = 0; panel < matrix.Panels; panel++)
            {
                var rows = weight[(panel * PackedMatrix.PanelRows * matrix.Columns)..];
                Unpack(matrix, matrix.Panel(block, panel), rows, block * matrix.BlockColumns);
            }
        }
    }

    private static void Unpack(PackedMatrix matrix, Panel panel, Span<float> weight, int firstColumn)
    {
        var at = 0;
        for (var i = 0; i < panel.Count; i++)
        {
            var row = weight[((panel.Rows[i].Place * matrix.Columns) + firstColumn)..];
            for (var end = at + panel.Rows[i].Count; at < end; at++)
                row[panel.Indices[at] / PackedMatrix.IndexUnit] = panel.Values[at];
        }
    }
}
