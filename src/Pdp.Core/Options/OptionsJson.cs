using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pdp.Internal;

namespace Pdp.Options;

/// <summary>Writes options as JSON in full and reads them strictly, without reflection, so that trimmed programs can use it.</summary>
internal static class OptionsJson
{
    /// <summary>Leaves names unescaped, as the JSON doesn't go into HTML.</summary>
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly PdpOptions Defaults = new() { Epochs = 1 };

    private static readonly JsonDocumentOptions Parsing = new()
    { AllowDuplicateProperties = false, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>Reads options from JSON.</summary>
    /// <exception cref="ArgumentException">It is not valid JSON of options; the message has the path and what is allowed there.</exception>
    public static PdpOptions Parse(string json, string parameter) => Read(
        () => Distinct(JsonNode.Parse(StrictJson.WithoutMark(json), new() { PropertyNameCaseInsensitive = true }, Parsing)
            ?? throw new JsonException("$ is null and must be an object")), parameter);

    /// <summary>Reads options from settings whose names have colons between their parts.</summary>
    /// <exception cref="ArgumentException">They are not valid options; the message has the path and what is allowed there.</exception>
    public static PdpOptions Of(IEnumerable<KeyValuePair<string, string?>> settings, string parameter) =>
        Read(() => SettingsTree.Of(settings), parameter);

    /// <summary>Writes options.</summary>
    /// <exception cref="NotSupportedException">A setting holds code, or has a user-defined type.</exception>
    public static string Write(PdpOptions options)
    {
        RequireWritable(options);
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, Readable))
            TreeOf(options).WriteTo(writer);
        return Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    private static JsonObject TreeOf(PdpOptions options)
    {
        var json = new JsonObject { ["epochs"] = options.Epochs };
        Add(json, "sparsity", options.Sparsity);
        json["strategy"] = OptionTypes.Strategies.Write(options.Strategy, nameof(PdpOptions.Strategy));
        Add(json, "importance", options.Importance is { } importance
            ? OptionTypes.Importances.Write(importance, nameof(PdpOptions.Importance))
            : null);
        Add(json, "channels", options.Channels is { } map ? ChannelsJson.Write(map) : null);
        Add(json, "macs", options.EffectiveMacs is { } macs ? ChannelsJson.Write(macs) : null);
        Add(json, "allocation", options.Allocation is { } allocation
            ? OptionTypes.Allocations(options.Channels, options.EffectiveMacs).Write(allocation, nameof(PdpOptions.Allocation))
            : null);
        Add(json, "schedule", options.Schedule is { } schedule ? OptionTypes.Schedules.Write(schedule, nameof(PdpOptions.Schedule)) : null);
        Add(json, "temperature", Write(options.Temperature));
        Add(json, "gradientTemperature", Write(options.GradientTemperature));
        Add(json, "automaticStart", options.AutomaticStart is { } start
            ? new JsonObject { ["level"] = start.Level, ["epochs"] = start.Epochs }
            : null);
        Add(json, "include", Write(options.Include, nameof(PdpOptions.Include)));
        Add(json, "exclude", Write(options.Exclude, nameof(PdpOptions.Exclude)));
        Add(json, "rules", options.Rules.Count == 0
            ? null
            : new JsonArray([.. options.Rules.Select((rule, i) => Write(rule, $"{nameof(PdpOptions.Rules)}[{i}]"))]));
        json["minimumLayerSparsity"] = options.MinimumLayerSparsity;
        json["maximumLayerSparsity"] = options.MaximumLayerSparsity;
        Add(json, "metricsInterval", options.MetricsInterval == Defaults.MetricsInterval ? null : options.MetricsInterval);
        Add(json, "metricsPerLayer", options.MetricsPerLayer ? true : null);
        return json;
    }

    // A node looks at its members when they are first read, and then throws where two names differ in case only.
    private static JsonNode Distinct(JsonNode node)
    {
        try
        {
            foreach (var member in node is JsonObject members ? members.Select(pair => pair.Value) : node as JsonArray ?? [])
                _ = member is null ? null : Distinct(member);
            return node;
        }
        catch (ArgumentException fault)
        {
            throw StrictObject.Fault(node.GetPath(), $"has a member twice: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    private static PdpOptions Read(Func<JsonNode> parse, string parameter)
    {
        try
        {
            return StrictObject.Read(parse(), Read);
        }
        catch (JsonException fault)
        {
            throw new ArgumentException($"Not valid options: {fault.Message.TrimEnd('.')}.", parameter, fault);
        }
    }

    private static PdpOptions Read(StrictObject members)
    {
        var channels = members.Member("channels", ChannelsJson.ReadMap);
        var macs = members.Member("macs", ChannelsJson.ReadMacs);
        return new()
        {
            Epochs = members.Number("epochs") ?? members.Missing<double>("epochs"),
            Sparsity = members.Number("sparsity"),
            Strategy = members.Member("strategy", OptionTypes.Strategies.Read) ?? Defaults.Strategy,
            Importance = members.Member("importance", OptionTypes.Importances.Read),
            Channels = channels,
            Macs = macs,
            Allocation = members.Member("allocation", OptionTypes.Allocations(channels, macs).Read),
            Schedule = members.Member("schedule", OptionTypes.Schedules.Read),
            Temperature = members.Member("temperature", ReadTemperature),
            GradientTemperature = members.Member("gradientTemperature", ReadTemperature),
            AutomaticStart = members.Member("automaticStart", ReadStart),
            Include = members.List("include", MatchJson.Read) ?? [],
            Exclude = members.List("exclude", MatchJson.Read) ?? [],
            Rules = members.List("rules", ReadRule) ?? [],
            MinimumLayerSparsity = members.Number("minimumLayerSparsity") ?? Defaults.MinimumLayerSparsity,
            MetricsInterval = members.Whole("metricsInterval") ?? Defaults.MetricsInterval,
            MetricsPerLayer = members.Flag("metricsPerLayer") ?? Defaults.MetricsPerLayer,
            MaximumLayerSparsity = members.Number("maximumLayerSparsity") ?? Defaults.MaximumLayerSparsity,
        };
    }

    private static JsonObject Write(LayerRule rule, string setting)
    {
        var json = new JsonObject { ["match"] = MatchJson.Write(rule.Match, $"{setting}.{nameof(LayerRule.Match)}") };
        Add(json, "sparsity", rule.Sparsity);
        Add(json, "strategy", rule.Strategy is { } strategy
            ? OptionTypes.Strategies.Write(strategy, $"{setting}.{nameof(LayerRule.Strategy)}")
            : null);
        Add(json, "temperature", Write(rule.Temperature));
        Add(json, "gradientTemperature", Write(rule.GradientTemperature));
        Add(json, "minimumSparsity", rule.MinimumSparsity);
        Add(json, "maximumSparsity", rule.MaximumSparsity);
        return json;
    }

    private static LayerRule ReadRule(JsonNode node) =>
        StrictObject.Read(node, members => new LayerRule(members.Member("match", MatchJson.Read) ?? members.Missing<LayerMatch>("match"))
        {
            Sparsity = members.Number("sparsity"),
            Strategy = members.Member("strategy", OptionTypes.Strategies.Read),
            Temperature = members.Member("temperature", ReadTemperature),
            GradientTemperature = members.Member("gradientTemperature", ReadTemperature),
            MinimumSparsity = members.Number("minimumSparsity"),
            MaximumSparsity = members.Number("maximumSparsity"),
        });

    private static JsonObject? Write(Temperature? temperature)
    {
        if (temperature is null)
            return null;
        var json = new JsonObject { ["type"] = temperature.IsRelative ? "relative" : "absolute", ["from"] = temperature.From };
        if (temperature.EndEpoch > 0)
            (json["to"], json["start"], json["end"]) = (temperature.To, temperature.StartEpoch, temperature.EndEpoch);
        Add(json, "hardFrom", temperature.HardEpoch);
        Add(json, "radialCorrection", temperature.HasRadialCorrection ? true : null);
        return json;
    }

    private static Temperature ReadTemperature(JsonNode node) => StrictObject.Read(node, members =>
    {
        var from = members.Number("from") ?? members.Missing<double>("from");
        var isRelative = (members.Choice("type", "relative", "absolute") ?? members.Missing<string>("type")) == "relative";
        var constant = isRelative ? Temperature.Relative(from) : Temperature.Absolute(from);
        double Annealing(string name) => members.Number(name) ?? members.Missing<double>(name);
        var annealed = members.Number("to") is { } to ? constant.AnnealedTo(to, Annealing("start"), Annealing("end")) : constant;
        var hardened = members.Number("hardFrom") is { } epoch ? annealed.HardFrom(epoch) : annealed;
        return members.Flag("radialCorrection") != true ? hardened
            : isRelative ? hardened.WithRadialCorrection()
            : throw StrictObject.Fault($"{node.GetPath()}.radialCorrection", "needs a relative temperature");
    });

    private static AutomaticStart ReadStart(JsonNode node) => StrictObject.Read(node, members =>
    {
        var start = new AutomaticStart { Level = members.Number("level") ?? members.Missing<double>("level") };
        return members.Whole("epochs") is { } epochs ? start with { Epochs = epochs } : start;
    });

    private static JsonArray? Write(IReadOnlyList<LayerMatch> matches, string setting) =>
        matches.Count == 0 ? null : new JsonArray([.. matches.Select((match, i) => MatchJson.Write(match, $"{setting}[{i}]"))]);

    private static void Add(JsonObject json, string name, JsonNode? value)
    {
        if (value is not null)
            json[name] = value;
    }

    private static void RequireWritable(PdpOptions options)
    {
        if (options.Method is { } method)
            throw new NotSupportedException(
                $"{nameof(PdpOptions.Method)}, {method.Name}, can't be written as JSON: leave it out and set it in code after reading the "
                + "options.");
        if (options.Allocation is MacBudget budget && (budget.Channels != options.Channels || (options.Macs ?? budget.Macs) != budget.Macs))
            throw new NotSupportedException(
                $"{nameof(PdpOptions.Allocation)} is a budget for channels or multiply-accumulates other than those of the options, which "
                + "can't be written as JSON: build it from those of the options.");
    }
}
