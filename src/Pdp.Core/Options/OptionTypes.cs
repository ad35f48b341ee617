using System.Text.Json.Nodes;

namespace Pdp.Options;

/// <summary>
/// How this library's strategies, importances, schedules and allocations are written as JSON; absent members have defaults.
/// </summary>
internal static class OptionTypes
{
    private static readonly EpsilonRamp DefaultRamp = new();

    public static JsonTypes<IMaskStrategy> Strategies { get; } = new()
    {
        { (Unstructured _) => [], _ => new Unstructured() },
        {
            (NofM pattern) => new() { ["kept"] = pattern.Kept, ["of"] = pattern.Of, ["gradual"] = pattern.Gradual },
            members => NofM.Keep(Whole(members, "kept"), Whole(members, "of")) with { Gradual = members.Flag("gradual") ?? true }
        },
        {
            (Block block) => new() { ["rows"] = block.Rows, ["columns"] = block.Columns, ["score"] = Written(block.Score) },
            members => new(Whole(members, "rows"), Whole(members, "columns")) { Score = Score(members) }
        },
        {
            (PerChannel channels) => new() { ["score"] = Written(channels.Score), ["roundTo"] = channels.RoundTo },
            members => new() { Score = Score(members), RoundTo = members.Whole("roundTo") ?? 1 }
        },
    };

    public static JsonTypes<IImportance> Importances { get; } = new()
    {
        { (Taylor taylor) => new() { ["window"] = taylor.Window },
            members => new() { Window = members.Whole("window") ?? new Taylor().Window } },
    };

    public static JsonTypes<ISparsityScheduler> Schedules { get; } = new()
    {
        { (ConstantSparsity _) => [], _ => new ConstantSparsity() },
        { (OneShot shot) => new() { ["epoch"] = shot.Epoch }, members => new() { Epoch = Number(members, "epoch") } },
        {
            (EpsilonRamp ramp) => new() { ["warmupEpochs"] = ramp.WarmupEpochs, ["epsilon"] = ramp.Epsilon },
            members => new() { WarmupEpochs = members.Number("warmupEpochs") ?? DefaultRamp.WarmupEpochs,
                Epsilon = members.Number("epsilon") ?? DefaultRamp.Epsilon }
        },
        { (LinearRamp ramp) => Window(ramp), members => new LinearRamp(Number(members, "start"), Number(members, "end")) },
        { (CubicRamp ramp) => Window(ramp), members => new CubicRamp(Number(members, "start"), Number(members, "end")) },
        { (CosineRamp ramp) => Window(ramp), members => new CosineRamp(Number(members, "start"), Number(members, "end")) },
    };

    /// <summary>The allocations; a <see cref="MacBudget"/> takes its channels and multiply-accumulates from the options.</summary>
    public static JsonTypes<ISparsityAllocation> Allocations(ChannelMap? channels, MacCount? macs) => new()
    {
        {
            (GlobalMagnitude global) => new() { ["densityFloor"] = global.DensityFloor },
            members => members.Number("densityFloor") is { } floor ? new() { DensityFloor = floor } : new GlobalMagnitude()
        },
        {
            (LayerAdaptiveMagnitude adaptive) => new() { ["densityFloor"] = adaptive.DensityFloor },
            members => members.Number("densityFloor") is { } floor ? new() { DensityFloor = floor } : new LayerAdaptiveMagnitude()
        },
        { (UniformSparsity _) => [], _ => new UniformSparsity() },
        { (ErdosRenyiKernel _) => [], _ => new ErdosRenyiKernel() },
        {
            (SparsityTable table) => new()
                { ["sparsities"] = new JsonObject(table.Sparsities.Select(entry =>
                    KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))) },
            members => members.Member("sparsities", node => StrictObject.Read(node, table => new SparsityTable(table.Numbers())))
                ?? members.Missing<SparsityTable>("sparsities")
        },
        {
            (MacBudget budget) => new() { ["fraction"] = budget.Fraction, ["isRelative"] = budget.IsRelative },
            members => channels is not null && macs is not null
                ? new MacBudget(Number(members, "fraction"), channels, macs) { IsRelative = members.Flag("isRelative") ?? true }
                : throw StrictObject.Fault(members.PathOf("type"),
                    "is macBudget, which needs the options' channels and macs: write them with ToJson, or set the allocation in code")
        },
    };

    private static string Written(ScoreNorm score) => score == ScoreNorm.L2 ? "l2" : "rms";

    private static ScoreNorm Score(StrictObject members) => members.Choice("score", "rms", "l2") == "l2" ? ScoreNorm.L2 : ScoreNorm.Rms;

    private static double Number(StrictObject members, string name) => members.Number(name) ?? members.Missing<double>(name);

    private static int Whole(StrictObject members, string name) => members.Whole(name) ?? members.Missing<int>(name);

    private static JsonObject Window(WindowRamp ramp) => new() { ["start"] = ramp.StartEpoch, ["end"] = ramp.EndEpoch };
}
