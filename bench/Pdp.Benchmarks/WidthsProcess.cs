namespace Pdp.Benchmarks;

/// <summary>
/// One process of the widths benchmark: a mask pass over convolutions and the masks of a small GPT in training, from the first
/// pass on.
/// </summary>
internal static class WidthsProcess
{
    /// <summary>Measures, and prints a line for each case.</summary>
    public static void Measure(Run run)
    {
        foreach (var strategy in (IMaskStrategy[])[new Unstructured(), NofM.Keep(2, of: 4)])
        {
            // Quick passes take a millisecond, so that on a busy machine too some are not interrupted.
            var layers = run.IsQuick ? Layered.Few : Layered.All;
            Console.WriteLine(WidthsTimes.Of($"mask, {strategy.Name}", MaskPasses.Measure(strategy, layers, run.IsQuick ? 120 : 80)));
            Console.WriteLine(WidthsTimes.Of(
                $"GPT, {strategy.Name}", Steps(strategy, run.IsQuick ? Case.ShortGpt : Case.Gpt, run.IsQuick ? 80 : 300)));
        }
    }

    private static double[] Steps(IMaskStrategy strategy, Case network, int count)
    {
        using var training = new Training(network, strategy);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            training.Step(isMasked: true);
            return (training.Entering + training.Leaving).TotalMilliseconds;
        })];
    }
}
