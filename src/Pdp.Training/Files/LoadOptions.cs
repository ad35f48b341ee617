namespace Pdp.Training;

/// <summary>How a file may differ from the module that it is loaded into.</summary>
public sealed record LoadOptions
{
    /// <summary>Whether tensors of the module may be missing from the file; they then keep their values.</summary>
    /// <value>False by default.</value>
    public bool AllowMissing { get; init; }

    /// <summary>Whether the file may hold tensors that the module does not have; they are then ignored.</summary>
    /// <value>False by default.</value>
    public bool AllowUnexpected { get; init; }

    /// <summary>
    /// Whether floating-point tensors may be of another floating-point type; they are then rounded to the module's. Numbers that are too
    /// large for that are an error.
    /// </summary>
    /// <value>False by default.</value>
    public bool AllowConversion { get; init; }
}
