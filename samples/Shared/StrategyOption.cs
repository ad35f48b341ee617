namespace Pdp.Samples;

/// <summary>The value of <c>--strategy</c>.</summary>
internal static class StrategyOption
{
    /// <summary>The strategy of a text.</summary>
    /// <exception cref="ArgumentException">None has that name, N is not below M, or a block has a size of 0.</exception>
    public static IMaskStrategy Parse(string text) => text switch
    {
        "unstructured" => new Unstructured(),
        "channel" => new PerChannel(),
        _ => Pattern(text),
    };

    /// <summary>The text itself, if there is such a strategy.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static string Checked(string text)
    {
        _ = Parse(text);
        return text;
    }

    private static IMaskStrategy Pattern(string text)
    {
        try
        {
            return text.Contains('x', StringComparison.Ordinal) ? Block.Parse(text) : NofM.Parse(text);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"Must be unstructured, channel, N:M such as 2:4, or a block such as 1x4, not '{text}'.", e);
        }
    }
}
