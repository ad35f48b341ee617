namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Checks names, and suggests the near one.</summary>
internal static class Near
{
    /// <exception cref="ArgumentException">The name is not known.</exception>
    public static void Require(string name, IReadOnlyCollection<string> known, string what)
    {
        if (!known.Contains(name))
        {
            throw new ArgumentException(CommandLine.Unknown(what, name, known));
        }
    }
}
