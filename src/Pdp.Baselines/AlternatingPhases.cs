using Pdp.Baselines.Internal;

namespace Pdp.Baselines;

/// <summary>
/// Alternates dense and compressed phases of whole epochs; the first is dense, the last compressed. The schedule of <see cref="AcDc"/>.
/// </summary>
/// <remarks>
/// Unlike a ramp it falls, from 1 to 0 at each decompression. Commit in the last phase: the pruner accepts a commit in any compressed
/// phase, and the zeros stay from then on.
/// </remarks>
public sealed record AlternatingPhases : ISparsityScheduler
{
    /// <summary>Sets the phases.</summary>
    /// <param name="compressions">The epochs at which compressed phases begin, increasing, at least 0; at least one of them.</param>
    /// <param name="decompressions">The epochs at which dense phases begin, one between any two consecutive compressions.</param>
    /// <exception cref="ArgumentException">The two don't alternate, or the last one is not a compression.</exception>
    public AlternatingPhases(IReadOnlyList<int> compressions, IReadOnlyList<int> decompressions)
    {
        ArgumentNullException.ThrowIfNull(compressions);
        ArgumentNullException.ThrowIfNull(decompressions);
        RequireAlternating(compressions, decompressions);
        Compressions = [.. compressions];
        Decompressions = [.. decompressions];
    }

    /// <summary>The epochs at which compressed phases begin.</summary>
    public IReadOnlyList<int> Compressions { get; }

    /// <summary>The epochs at which dense phases begin, except the first, which begins at 0.</summary>
    public IReadOnlyList<int> Decompressions { get; }

    /// <inheritdoc/>
    /// <remarks>The first compression.</remarks>
    public double StartEpoch => Compressions[0];

    /// <inheritdoc/>
    /// <remarks>The last compression.</remarks>
    public double EndEpoch => Compressions[^1];

    /// <summary>The paper's phases for 100 epochs of ImageNet, scaled to the length of a run.</summary>
    /// <remarks>
    /// <para>
    /// Dense for a tenth of the run, then alternately compressed and dense for a twentieth each, dense for another tenth, and compressed
    /// for the last 15 %. For 100 epochs these are compressions at 10, 20, … 70 and 85, and decompressions at 15, 25, … 65 and 75 (Peste et
    /// al., NeurIPS 2021).
    /// </para>
    /// <para>
    /// Each phase lasts whole epochs, at least one, and the longer dense one at least two; the last one takes the remaining epochs. In 8
    /// epochs, 0 is dense, 1 compressed, 2 dense, 3 compressed, 4 and 5 dense, 6 and 7 compressed. Runs of up to 4 epochs compress once, in
    /// the last.
    /// </para>
    /// </remarks>
    /// <param name="epochs">The length of the run in epochs, in [2, 2³¹).</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is out of range.</exception>
    public static AlternatingPhases Over(double epochs)
    {
        var whole = (int)Ask.Within(epochs, epochs is >= 2 and < int.MaxValue, "[2, 2³¹)", nameof(epochs));
        var (first, phase) = (Math.Max(1, Round(whole, 10)), Math.Max(1, Round(whole, 20)));
        var last = whole - (int)(((3L * whole) + 19) / 20);

        // Between the first dense phase and the longer one: alternately compressed and dense, beginning and ending compressed.
        var phases = (last - (2 * phase) - first) / phase;
        phases -= 1 - (phases & 1);
        if (phases < 1)
            return new([last], []);

        var longer = first + (phases * phase);
        int[] starts = [.. Enumerable.Range(0, phases).Select(i => first + (i * phase)), longer, longer + (2 * phase)];
        return new([.. starts.Where((_, i) => i % 2 == 0)], [.. starts.Where((_, i) => i % 2 == 1)]);
    }

    /// <summary>1 in compressed phases, 0 in dense ones.</summary>
    /// <param name="epoch">The epoch, whole or fractional, at least 0.</param>
    public double Fraction(double epoch) => Begun(Compressions, epoch) > Begun(Decompressions, epoch) ? 1 : 0;

    /// <inheritdoc/>
    public string Describe() =>
        $"{nameof(AlternatingPhases)}, compressed from {string.Join(", ", Compressions)}, dense from {string.Join(", ", Decompressions)}";

    /// <summary>Whether a dense phase begins between two times, so that the optimizer's momentum should be reset.</summary>
    /// <remarks>
    /// AC/DC's authors do so at each decompression, as the momentum belongs to the sparse model. The pruner doesn't know the optimizer, so
    /// the training loop does it: <c>if (phases.IsDecompression(epoch - 1, epoch)) …</c> before the first step of an epoch. Under
    /// <see cref="PdpOptions.AutomaticStart"/> the schedule's epochs are not the pruner's.
    /// </remarks>
    /// <param name="before">The time of the last call in epochs, excluded.</param>
    /// <param name="now">The time in epochs, included.</param>
    public bool IsDecompression(double before, double now) => Begun(Decompressions, now) > Begun(Decompressions, before);

    /// <summary>The number of phases of a kind that have begun.</summary>
    private static int Begun(IReadOnlyList<int> starts, double epoch) => starts.Count(start => start <= epoch);

    /// <summary>A fraction of a number, rounded to the nearest whole number.</summary>
    private static int Round(int number, int parts) => (int)((number + (parts / 2L)) / parts);

    private static void RequireAlternating(IReadOnlyList<int> compressions, IReadOnlyList<int> decompressions)
    {
        if (compressions.Count == 0 || decompressions.Count != compressions.Count - 1)
            throw new ArgumentException(
                $"{compressions.Count} compressions and {decompressions.Count} decompressions don't alternate and end with a compression: "
                + "there must be one decompression between any two consecutive compressions.", nameof(decompressions));

        int[] starts = [.. compressions.Zip(decompressions.Append(int.MaxValue)).SelectMany(pair => (int[])[pair.First, pair.Second])];
        if (starts[0] < 0 || starts.Zip(starts.Skip(1)).Any(pair => pair.First >= pair.Second))
            throw new ArgumentException(
                $"Compressions at {string.Join(", ", compressions)} and decompressions at {string.Join(", ", decompressions)} don't "
                + "alternate, each at least one epoch after the previous one.", nameof(compressions));
    }
}
