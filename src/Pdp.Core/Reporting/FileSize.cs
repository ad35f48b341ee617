using System.Globalization;
using Pdp.Internal;

namespace Pdp;

/// <summary>The bytes of a model's parameters, tied ones counted once.</summary>
/// <param name="Dense">As they are.</param>
/// <param name="Sparse">In a file of Pdp.Sparse, with dense and packed weights and without the header.</param>
public sealed record FileSize(long Dense, long Sparse)
{
    /// <summary>Formats the sizes as a line, such as <c>in a sparse file: 60 of 400 bytes (15.00%)</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"in a sparse file: {Sparse:N0} of {Dense:N0} bytes ({TextTable.Percent(Dense == 0 ? 1 : Sparse / (double)Dense)})");
}
