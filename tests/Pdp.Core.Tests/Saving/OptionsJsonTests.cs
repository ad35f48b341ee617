using System.Text.Json.Nodes;
using CsCheck;
using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Tests.Saving;

public sealed class OptionsJsonTests
{
    private static readonly PdpOptions Plain = new() { Epochs = 10, Sparsity = 0.9 };

    /// <summary>Each strategy, schedule, allocation and match of the library, set to something else than its defaults.</summary>
    private static readonly Dictionary<string, PdpOptions> Shipped = new()
    {
        ["defaults"] = Plain,
        ["paper"] = PdpOptions.Paper(0.855),
        [nameof(Unstructured)] = Plain with { Strategy = new Unstructured() },
        [nameof(NofM)] = Plain with { Strategy = NofM.Keep(1, of: 8) with { Gradual = false }, Sparsity = null },
        [nameof(Block)] = Plain with { Strategy = new Block(4, 1) { Score = ScoreNorm.L2 } },
        [nameof(PerChannel)] = Plain with { Strategy = new PerChannel { Score = ScoreNorm.L2, RoundTo = 16 } },
        [nameof(Taylor)] = Plain with { Importance = new Taylor { Window = 7 } },
        [nameof(ConstantSparsity)] = Plain with { Schedule = new ConstantSparsity() },
        [nameof(OneShot)] = Plain with { Schedule = new OneShot { Epoch = 2.5 } },
        [nameof(EpsilonRamp)] = Plain with { Schedule = new EpsilonRamp { WarmupEpochs = 1, Epsilon = 0.3 } },
        [nameof(LinearRamp)] = Plain with { Schedule = new LinearRamp(1, 2) },
        [nameof(CubicRamp)] = Plain with { Schedule = new CubicRamp(0, 1 / 3.0) },
        [nameof(CosineRamp)] = Plain with { Schedule = new CosineRamp(1.5, 9) },
        [nameof(GlobalMagnitude)] = Plain with { Allocation = new GlobalMagnitude { DensityFloor = 1 / 3.0 } },
        [nameof(LayerAdaptiveMagnitude)] = Plain with { Allocation = new LayerAdaptiveMagnitude { DensityFloor = 1 / 3.0 } },
        [nameof(UniformSparsity)] = Plain with { Allocation = new UniformSparsity() },
        [nameof(ErdosRenyiKernel)] = Plain with { Allocation = new ErdosRenyiKernel() },
        [nameof(SparsityTable)] = Plain with
        {
            Allocation = new SparsityTable(new Dictionary<string, double> { ["0.weight"] = 0.25, ["fc.weight"] = 1 / 3.0 }),
            Sparsity = null
        },
        ["temperatures"] = Plain with
        {
            Temperature = Temperature.Relative(0.5),
            Rules = [new("*") { Temperature = Temperature.Absolute(1e-4).AnnealedTo(1e-6, 1, 7) }]
        },
        ["temperatures of the gradient"] = Plain with
        {
            GradientTemperature = Temperature.Relative(1).HardFrom(7.5).WithRadialCorrection(),
            Rules = [new("*") { GradientTemperature = Temperature.Absolute(1e-4).AnnealedTo(1e-6, 1, 7).HardFrom(0) }]
        },
        ["metrics"] = Plain with { MetricsInterval = 7, MetricsPerLayer = true },
        ["matches"] = Plain with
        {
            Include = ["*"],
            Exclude = [LayerMatch.Classifier, LayerMatch.First, LayerMatch.OfType<Conv2d>(), LayerMatch.OfType("Linear")]
        },
        ["rules"] = Plain with
        {
            Rules = [new("head.*") { Sparsity = 0.5, Strategy = NofM.Keep(2, of: 4) },
                new(LayerMatch.First) { MinimumSparsity = 0.1, MaximumSparsity = 0.7 }],
            MinimumLayerSparsity = 0.05,
            MaximumLayerSparsity = 0.99,
            AutomaticStart = new AutomaticStart { Level = 0.4, Epochs = 3 },
        },
    };

    public static TheoryData<string> Names => [.. Shipped.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void FromJson_OfWhatWasWritten_GivesTheSameOptions(string name)
    {
        var options = Shipped[name];

        var read = PdpOptions.FromJson(options.ToJson());

        Assert.Equal(options.ToJson(), read.ToJson());
        Assert.Equal((options.Epochs, options.Sparsity, options.MinimumLayerSparsity, options.MaximumLayerSparsity),
            (read.Epochs, read.Sparsity, read.MinimumLayerSparsity, read.MaximumLayerSparsity));
        Assert.Equal((options.Importance, options.MetricsInterval, options.MetricsPerLayer),
            (read.Importance, read.MetricsInterval, read.MetricsPerLayer));
        Assert.Equal((options.Strategy, options.Schedule, options.Temperature, options.GradientTemperature, options.AutomaticStart),
            (read.Strategy, read.Schedule, read.Temperature, read.GradientTemperature, read.AutomaticStart));
        Assert.Equal(options.Allocation?.Describe(), read.Allocation?.Describe());
        Assert.Equal(
            options.Rules.Select(
            rule => (rule.Match.ToString(), rule.Sparsity, rule.Strategy, rule.Temperature, rule.GradientTemperature, rule.MinimumSparsity,
            rule.MaximumSparsity)), read.Rules.Select(rule => (rule.Match.ToString(), rule.Sparsity, rule.Strategy, rule.Temperature,
            rule.GradientTemperature, rule.MinimumSparsity, rule.MaximumSparsity)));
        Assert.Equal(options.Exclude.Count, read.Exclude.Count);
    }

    [Fact]
    public void FromJson_OfAnyWindow_GivesItBackBitForBit() =>
        Law.Holds(Gen.Select(Gen.Double[0, 1000], Gen.Double[1e-9, 1000], Gen.Double[1e-12, 1 - 1e-12]), pair =>
        {
            var (start, length, sparsity) = pair;
            var options =
                new PdpOptions { Epochs = 5000, Sparsity = sparsity, Schedule = new CubicRamp(start, start + Math.Max(length, 1e-6)) };

            Assert.Equal(options,
                PdpOptions.FromJson(options.ToJson()) with { Rules = options.Rules, Include = options.Include, Exclude = options.Exclude });
        });

    /// <summary>A type that is added and can't be read back would be noticed by its first user.</summary>
    [Fact]
    public void Shipped_HasEachTypeOfTheLibrary()
    {
        Type[] interfaces = [typeof(IMaskStrategy), typeof(IImportance), typeof(ISparsityScheduler), typeof(ISparsityAllocation)];
        var types = typeof(PdpOptions).Assembly.GetExportedTypes().Where(type => !type.IsAbstract && interfaces.Any(type.IsAssignableTo));

        Assert.Equal(types.Select(type => type.Name).Except([nameof(MacBudget)]).Order(),
            Shipped.Keys.Where(name => char.IsUpper(name[0])).Order());
    }

    [Fact]
    public void FromJson_OfABudgetWithItsChannels_PlansTheSame()
    {
        using var model = TestModels.Cnn();
        using var example = ones(1, 3, 8, 8);
        var map = ChannelMap.Find(model, example);
        var options = new PdpOptions
        {
            Epochs = 4,
            Strategy = new PerChannel(),
            Channels = map,
            Allocation = new MacBudget(0.5, map, MacCount.Of(model, example)) { IsRelative = false }
        };

        var read = PdpOptions.FromJson(options.ToJson());

        using var one = new PdpPruner(model, options);
        using var other = new PdpPruner(model, read);
        Assert.Equal(one.Plan().ToJson(), other.Plan().ToJson());
        Assert.Equal(options.ToJson(), read.ToJson());
        Assert.Equal(map.Groups.Select(group => group.IsNormalized), read.Channels!.Groups.Select(group => group.IsNormalized));
        Assert.Contains(map.Groups, group => group.IsNormalized);
    }

    /// <summary>Whatever is damaged in a file: valid options or an error, never another exception.</summary>
    [Fact]
    public void FromJson_OfADamagedFile_GivesOptionsOrAnArgumentException()
    {
        var values =
            Gen.OneOf(Gen.Const<JsonNode?>(() => null), Gen.Const<JsonNode?>(() => -1), Gen.Const<JsonNode?>(() => 1e300),
            Gen.Const<JsonNode?>(() => "x"), Gen.Const<JsonNode?>(() => true), Gen.Const<JsonNode?>(() => new JsonArray(1)),
            Gen.Const<JsonNode?>(() => new JsonObject { ["a"] = 1 }));
        var refused = 0;
        Law.Holds(Gen.Select(Gen.Int[0, Shipped.Count - 1], Gen.Int[0, 1000], values), pair =>
        {
            var (which, where, value) = pair;
            var root = JsonNode.Parse(Shipped.Values.ElementAt(which).ToJson())!;
            JsonNode[] nodes = [.. Under(root)];
            var target = nodes[where % nodes.Length];
            if (target.Parent is JsonObject parent)
                parent[target.GetPropertyName()] = value?.DeepClone();
            else
                ((JsonArray)target.Parent!)[target.GetElementIndex()] = value?.DeepClone();

            try
            {
                PdpOptions.FromJson(root.ToJsonString()).ToJson();
            }
            catch (ArgumentException)
            {
                refused++;
            }
        }, count: 400);
        Assert.InRange(refused, 200, 399);
    }

    [Fact]
    public void FromJson_OfAFileWithAByteOrderMark_SkipsIt() =>
        Assert.Equal(90, PdpOptions.FromJson("\uFEFF{ \"epochs\": 90, \"sparsity\": 0.9 }").Epochs);

    [Fact]
    public void FromJson_OfAFileByHand_HasCommentsCaseAndShortForms()
    {
        var options = PdpOptions.FromJson("""
            {
                // nine tenths
                "Epochs": 90, "Sparsity": "0.9",
                "strategy": "unstructured",
                "exclude": ["head", "*.norm",],
            }
            """);

        Assert.Equal((90, 0.9, new Unstructured()), (options.Epochs, options.Sparsity, options.Strategy));
        Assert.Equal(["'head'", "'*.norm'"], options.Exclude.Select(match => match.ToString()));
    }

    [Fact]
    public void ToJson_OfWhatIsCode_SaysThatItCantBeWritten()
    {
        PdpOptions[] code =
        [
            Plain with { Exclude = ["head", LayerMatch.Where(layer => layer.Index == 3, "the fourth")] },
            Plain with { Strategy = new PlainStrategy("mine") },
            Plain with { Rules = [new("head") { Strategy = new PlainStrategy("mine") }] },
            Plain with { Schedule = new Own() },
            Plain with { Allocation = new Own() },
            Plain with { Importance = GivenImportance.Of(1) },
            Plain with { Method = new Own() },
        ];

        string[] faults = [.. code.Select(options => Assert.Throws<NotSupportedException>(options.ToJson).Message)];

        string[] beginnings =
        [
            "Exclude[1], the fourth, holds code",
            "Strategy is a PlainStrategy, which can't be written as JSON; the types that can are unstructured, nofM",
            "Rules[0].Strategy is a PlainStrategy",
            "Schedule is a Own, which can't be written as JSON; the types that can are constantSparsity",
            "Allocation is a Own, which can't be written as JSON; the types that can are globalMagnitude",
            "Importance is a GivenImportance, which can't be written as JSON; the types that can are taylor",
            "Method, own, can't be written as JSON",
        ];
        Assert.All(faults.Zip(beginnings), pair => Assert.StartsWith(pair.Second, pair.First, StringComparison.Ordinal));
    }

    private static IEnumerable<JsonNode> Under(JsonNode node) => node switch
    {
        JsonObject members => members.Where(pair => pair.Value is not null).SelectMany(pair => Under(pair.Value!).Prepend(pair.Value!)),
        JsonArray items => items.OfType<JsonNode>().SelectMany(item => Under(item).Prepend(item)),
        _ => [],
    };

    /// <summary>A user's schedule, allocation and method.</summary>
    private sealed class Own : ISparsityScheduler, ISparsityAllocation, IPruningMethod
    {
        public string Name => "own";

        public double StartEpoch => 0;

        public double EndEpoch => 1;

        public double Fraction(double epoch) => Math.Clamp(epoch, 0, 1);

        public double? FixedSparsity(IReadOnlyList<AllocationLayer> layers) => null;

        public IReadOnlyList<long> Allocate(IReadOnlyList<AllocationLayer> layers, long remove) => [];

        public PdpOptions Configure(PdpOptions options) => options;

        public IMethodRun Attach(IReadOnlyList<MethodLayer> layers) => throw new NotSupportedException();
    }
}
