namespace Pdp.Samples;

/// <summary>What <c>--help</c> shows for a setting, and which numbers the command line accepts.</summary>
/// <param name="text">What it does, in a sentence.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string text) : Attribute
{
    /// <summary>The value of an option that is a time, and is scaled with the length of a run.</summary>
    public const string Epochs = "EPOCHS";

    /// <summary>The value of an option that is a share of something, not a percentage.</summary>
    public const string Fraction = "FRACTION";

    /// <summary>What it does, in a sentence.</summary>
    public string Text => text;

    /// <summary>The heading that this and the following options stand under.</summary>
    public string? Section { get; init; }

    /// <summary>What stands for the value, which is also its unit; the type's name if not given.</summary>
    public string? Value { get; init; }

    /// <summary>The numbers that are allowed, such as <c>[0, 1)</c>; all if not given.</summary>
    public string? Range { get; init; }

    /// <summary>What applies if the option is not given, where that is not a constant.</summary>
    public string? Default { get; init; }
}
