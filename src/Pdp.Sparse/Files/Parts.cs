namespace Pdp.Sparse.Files;

/// <summary>The names of the parts of a packed tensor: the tensor's name followed by one of these.</summary>
internal static class Parts
{
    /// <summary>The nonzeros.</summary>
    public const string Values = ".compressed";

    /// <summary>The places of the nonzeros as a <see cref="Files.Bitmask"/>, uint8.</summary>
    public const string Bitmask = ".bitmask";

    /// <summary>The places of the nonzeros as <see cref="Files.Positions"/>, uint8.</summary>
    public const string Positions = ".positions";

    /// <summary>The places of the nonzeros as <see cref="TwoOfFour"/>, uint8.</summary>
    public const string Indices = ".indices";

    /// <summary>One of these says where the nonzeros are.</summary>
    public static readonly string[] Places = [Bitmask, Positions, Indices];

    /// <summary>The names that the parts of a tensor may have.</summary>
    public static IEnumerable<string> Of(string name) => [name + Values, .. Places.Select(places => name + places)];
}
