namespace Pdp.Samples.Comparison;

/// <summary>The help of the command <c>compare</c>.</summary>
internal static class CompareHelp
{
    /// <param name="program">How the sample is started.</param>
    /// <param name="inputs">Options that name its data and weights, for the examples.</param>
    public static string Of(string program, string inputs) => new Help
    {
        Usage = $"{program} compare",
        Text = "Runs pruning methods on the same work, each in a process of its own, "
            + "and writes results.md, results.csv and charts to --out. "
            + "Finished runs in that folder are kept, so that the same command continues after an interruption.",
        Examples =
        [
            $"{program} compare --recipe smoke \\\n      {inputs} --out run",
            $"{program} compare --recipe smoke --out run --tables-only",
        ],
    }.For<CompareSettings>() + $"\nRecipes\n{string.Concat(CompareRecipe.Names.Select(name => $"  {name}\n"))}";
}
