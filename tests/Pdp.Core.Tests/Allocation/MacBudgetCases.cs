using CsCheck;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Allocation;

/// <summary>Networks of the zoo with budgets for them.</summary>
internal static class MacBudgetCases
{
    public static readonly Dictionary<string, (ChannelMap Map, MacCount Macs)> Probed =
        new[] { nameof(PlainCnn), nameof(BottleneckNet), nameof(InvertedNet), nameof(UNet), nameof(VggLike) }
        .ToDictionary(name => name, name => Probe(name));

    public static PdpOptions OptionsFor(ISparsityAllocation allocation, ChannelMap map) => new()
    {
        Epochs = 1,
        Strategy = new PerChannel(),
        Channels = map,
        Allocation = allocation,
        Schedule = new OneShot { Epoch = 0 },
    };

    public static (ChannelMap Map, MacCount Macs) Probe(string name)
    {
        using var model = Zoo.Get(name).Make();
        using var example = Zoo.Get(name).Batch(size: 1);
        return (ChannelMap.Find(model, example), MacCount.Of(model, example));
    }

    /// <summary>A network's groups with magnitudes and bounds, and a fraction that they can meet.</summary>
    public sealed record Contest(string Name, Contest.Group[] Groups, double Fraction)
    {
        public MacBudget Budget => new(Fraction, Probed[Name].Map, Probed[Name].Macs) { IsRelative = false };

        public double Asked => Fraction * Probed[Name].Macs.Total;

        /// <summary>The smallest fraction that the bounds allow.</summary>
        public double Least => RemovedBy([.. Groups.Select(group => group.Minimum)]) / (double)Probed[Name].Macs.Total;

        public static Contest Of(string name, int seed, bool isCoarse, double share)
        {
            var random = new Random(seed);
            var contest = new Contest(name, [.. Probed[name].Map.Groups.Select(group => GroupOf(group, random, isCoarse))], 0);
            var most = contest.RemovedBy([.. contest.Groups.Select(group => group.Maximum)]) / (double)Probed[name].Macs.Total;
            return contest with { Fraction = contest.Least + (share * (most - contest.Least)) };
        }

        public long RemovedBy(long[] channels) =>
            Probed[Name].Macs.Total
                - Probed[Name].Macs.After(Probed[Name].Map.Groups.Zip(channels, (group, removed) => new ChannelCut(group, removed))).Total;

        /// <summary>The channels that the allocation takes of each group.</summary>
        public long[] Allocate()
        {
            using var scope = NewDisposeScope();
            var layers = Layers();
            var total = (long)Math.Round(Budget.FixedSparsity(layers)!.Value * layers.Sum(layer => layer.Layout.Elements));
            var counts = Budget.Allocate(layers, total);

            Assert.Equal(total, counts.Sum());
            Assert.All(counts.Zip(layers), pair => Assert.InRange(pair.First, pair.Second.Minimum, pair.Second.Maximum));
            Assert.All(counts.Zip(Groups), pair => Assert.Equal(0, pair.First % pair.Second.Width));
            return [.. counts.Zip(Groups, (count, group) => count / group.Width)];
        }

        /// <summary>The groups as an allocation sees them, in the caller's scope.</summary>
        public AllocationLayer[] Layers(long? minimum = null) =>
        [
            .. Groups.Zip(Probed[Name].Map.Groups, (group, channels) => new AllocationLayer
            {
                Name = channels.Name,
                Layout = new WeightLayout([channels.Channels, group.Width]),
                Weight = Tensors.Of(group.Magnitudes, [channels.Channels, 1]).expand(channels.Channels, group.Width),
                Minimum = (minimum ?? group.Minimum) * group.Width,
                Maximum = group.Maximum * group.Width,
            }),
        ];

        /// <summary>
        /// What goes after each step: the smallest channel that may go, one after the other, the first group's among equals.
        /// </summary>
        public IEnumerable<long[]> AllCuts()
        {
            var sorted = Groups.Select(group => group.Magnitudes.Order().ToArray()).ToArray();
            long[] channels = [.. Groups.Select(group => group.Minimum)];
            yield return [.. channels];
            while (Enumerable.Range(0, channels.Length).Where(i => channels[i] < Groups[i].Maximum).ToArray() is { Length: > 0 } open)
            {
                channels[open.MinBy(i => sorted[i][channels[i]])]++;
                yield return [.. channels];
            }
        }

        private static Group GroupOf(ChannelGroup group, Random random, bool isCoarse)
        {
            double[] magnitudes = [.. Enumerable.Range(0, (int)group.Channels).Select(
                _ => isCoarse ? random.Next(4) : random.NextDouble())];
            var minimum = random.Next(0, (int)group.Channels / 3);
            return new(magnitudes, random.Next(1, 30), minimum, random.Next(minimum + 1, (int)group.Channels));
        }

        internal sealed record Group(double[] Magnitudes, long Width, long Minimum, long Maximum);
    }
}
