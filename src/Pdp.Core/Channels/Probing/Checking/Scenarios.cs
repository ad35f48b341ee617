using System.Globalization;
using Pdp.Channels.Probing.Running;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Checking;

/// <summary>The scenarios in which groups are checked, ordered so that wrong groups fail early.</summary>
internal abstract class Scenarios
{
    /// <summary>The factors between which channels are tried.</summary>
    private const double Quiet = 1e-4;
    private const double Loud = 1e4;

    private readonly RandomWeights _weights;
    private readonly ModelRunner _runner;
    private readonly Func<Tensor, long[]> _other;

    /// <summary>Prepares the scenarios.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="runner">Runs the model.</param>
    protected Scenarios(Module model, IReadOnlyList<ProbedLayer> layers, ModelRunner runner)
    {
        (_weights, _runner) = (new(model, layers, runner.Snapshot), runner);
        _other = runner.OtherSize();
    }

    /// <summary>Values far beyond those of other channels, but finite as squares, and some of both signs.</summary>
    protected static IReadOnlyList<(double Least, double Most)> Ends { get; } = [(Loud / 2, Loud), (-Loud, -Loud / 2), (-10, 10)];

    /// <summary>
    /// The number of scales, a factor of 2 apart, at which channels have to act on others. A threshold is crossed at fewer of them.
    /// </summary>
    public virtual int Shown => 6;

    /// <summary>The channels that each group keeps; null if they are chosen for each scenario.</summary>
    protected virtual IReadOnlyDictionary<ChannelGroup, long[]>? Kept => null;

    /// <summary>Positive values of all sizes, so that a statistic falls into any window that isn't a narrow one.</summary>
    private static IEnumerable<(double Least, double Most)> Levels =>
        Enumerable.Range(-4, 13).Select(power => Math.Pow(3, power)).Select(most => (most / 2, most));

    /// <summary>The scenarios in which groups are cut.</summary>
    public IEnumerable<Scenario> OfCuts() => Seeded(CutStates(_weights, _runner, _other));

    /// <summary>The scenarios in which it is checked, besides, whether channels are isolated.</summary>
    /// <param name="groups">The groups that will be checked.</param>
    public IEnumerable<Scenario> OfLevels(IReadOnlyList<ChannelGroup> groups) => Seeded(
    [
        Scaled(groups, Quiet, 17) with { Drives = [.. Ends, .. Levels] },
        InTraining(Scaled(groups, Quiet, 20)) with { Drives = Ends },
        Scaled(groups, Loud, 18) with { Drives = Ends },
        Shifted(groups, 0) with { Drives = Ends },
        Shifted(groups, 1) with { Drives = Ends },
    ]);

    /// <summary>
    /// The scenarios for groups whose channels act on others, and the scale of their channels in each. The channels are always chosen, so
    /// that a model may be shrunk if its groups were found.
    /// </summary>
    /// <param name="groups">The groups that will be checked.</param>
    public IEnumerable<(double Scale, Scenario State)> AtAllScales(IReadOnlyList<ChannelGroup> groups)
    {
        Scenario[] aligned = [Aligned(groups, 0, false), Aligned(groups, 1, false), Aligned(groups, 0, true), Aligned(groups, 1, true)];
        // Training may add to rectified channels what makes them negative.
        var inTraining = Enumerable.Range(0, 8).Select(i => InTraining(Aligned(groups, i % 2, isNegated: false, echoes: i / 2)));
        foreach (var state in Seeded([.. aligned, .. inTraining]))
            yield return (1, state with { Kept = null });
        for (var (rung, scale) = (0ul, Quiet); scale < Loud; (rung, scale) = (rung + 1, scale * 2))
            yield return (scale, Scaled(groups, scale, 50 + rung) with { Seed = 20 + rung });
    }

    protected abstract Scenario[] CutStates(RandomWeights weights, ModelRunner runner, Func<Tensor, long[]> other);

    /// <summary>A scenario on a batch of one, unless the example is one.</summary>
    protected static Scenario[] OnOne(ModelRunner runner, Action fill) => ProbeSizes.OfOne(runner.Example) is { } one
        ? [new("on a batch of one", fill, runner.Normal(one, 28), Drives: Ends)]
        : [];

    /// <summary>A scenario in training mode. If norms over a few examples leave only noise, or fail, they evaluate.</summary>
    protected static Scenario Training(Scenario state) =>
        state with { IsTraining = true, Fallback = state with { IsTraining = true, NormsEvaluate = true } };

    protected static long[] Own(Tensor tensor) => tensor.shape;

    /// <summary>Scenarios in which different channels are kept.</summary>
    private Scenario[] Seeded(Scenario[] states) => [.. states.Select((state, i) => Seeded(state, (ulong)i))];

    private Scenario Seeded(Scenario state, ulong seed) =>
        state with { Seed = seed, Kept = Kept, Fallback = state.Fallback is { } fallback ? Seeded(fallback, seed) : null };

    private Scenario Scaled(IReadOnlyList<ChannelGroup> groups, double scale, ulong seed)
    {
        return new(
            string.Create(CultureInfo.InvariantCulture, $"with channels of {scale:0.0E+0} times the usual scale"),
            Fill,
            _runner.Normal(_other, seed + 100));

        void Fill()
        {
            _weights.Fill(seed);
            _weights.Scale(groups, scale);
        }
    }

    private static Scenario InTraining(Scenario state) =>
        state with { Description = $"in training mode {state.Description}", IsTraining = true, NormsEvaluate = true };

    /// <summary>Adjacent groups take turns, since a layer whose inputs all have the same sign may produce one sign everywhere.</summary>
    private Scenario Aligned(IReadOnlyList<ChannelGroup> groups, int parity, bool isNegated, int? echoes = null)
    {
        return new("with channels of equal sign", Fill, _runner.Normal(_other, 23));

        void Fill()
        {
            _weights.Fill((ulong)(13 + parity));
            foreach (var (i, group) in groups.Index().Where(pair => pair.Index % 2 == parity))
                _weights.Align(group, (ulong)(31 + i), isNegated, echoes);
        }
    }

    /// <summary>All channels of a group far above zero or far below it, and those of adjacent groups on the other side.</summary>
    private Scenario Shifted(IReadOnlyList<ChannelGroup> groups, int parity)
    {
        return new("with channels far from zero", Fill, _runner.Normal(_other, 24));

        void Fill()
        {
            _weights.Fill((ulong)(19 + parity));
            foreach (var (i, group) in groups.Index())
                _weights.Shift(group, (ulong)(61 + i), i % 2 == parity ? 100 : -100);
        }
    }
}
