using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Pdp.Tests.Support;

namespace Pdp.Tests.Saving;

public sealed class DamagedStateJsonTests(CommittedRunFixture committed) : IClassFixture<CommittedRunFixture>
{
    private const string Layer = "conv2.weight";

    private readonly ResumableRun _run = committed.Run;
    private readonly PrunerState _state = committed.State;

    public static TheoryData<string, Action<JsonObject>> JsonEdits => new()
    {
        { "a name in the place of a number", json => json["epoch"] = "NaN" },
        { "a number beyond range", json => json["epoch"] = JsonNode.Parse("1e999") },
        { "a member too many", json => json["warmth"] = 3 },
        { "a member too few", json => json.Remove("targets") },
        { "null where it can't be", json => json["settings"] = null },
        { "a list in the place of a table", json => json["layers"] = new JsonArray() },
        { "depth", json => json["masks"] = Deep(100) },
    };

    [Theory]
    [MemberData(nameof(JsonEdits))]
    public void FromJson_OfADamagedState_SaysSo(string what, Action<JsonObject> edit)
    {
        var json = JsonNode.Parse(_state.ToJson())!.AsObject();
        edit(json);

        var fault = Assert.Throws<ArgumentException>(() => PrunerState.FromJson(json.ToJsonString()));

        Assert.True(fault.Message.Contains("damaged", StringComparison.Ordinal), what);
    }

    [Fact]
    public void FromJson_BehindAByteOrderMark_IsTheState() =>
        Assert.Equal(_state.ToJson(), PrunerState.FromJson($"\uFEFF{_state.ToJson()}").ToJson());

    [Fact]
    public void FromJson_OfWholeNumbersWithAPoint_IsTheState()
    {
        var pointed = Regex.Replace(_state.ToJson(), @"(: \d+)(?=[,\s])", "$1.0");

        Assert.Contains("\"version\": 2.0", pointed, StringComparison.Ordinal);
        Assert.Equal(_state.ToJson(), PrunerState.FromJson(pointed).ToJson());
    }

    [Theory]
    [InlineData("3")]
    [InlineData("3.0")]
    public void FromJson_OfALaterVersionWithOtherMembers_NamesTheVersion(string version)
    {
        var fault = Assert.Throws<ArgumentException>(() => PrunerState.FromJson($"{{ \"version\": {version}, \"warmth\": 3 }}"));

        Assert.Contains("has version 3", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_OfAMemberThatIsThereTwice_SaysSo()
    {
        var json = _state.ToJson();
        var twice = json.Replace("\"epoch\":", "\"epoch\": 2,\n  \"epoch\":", StringComparison.Ordinal);
        var target = FormattableString.Invariant($"\"{Layer}\": {_state.Targets![Layer]}");
        var layerTwice = json.Replace(target, $"{target}, {target}", StringComparison.Ordinal);

        Assert.NotEqual(json, layerTwice);
        Assert.Contains("Duplicate property 'epoch'", Fault(twice), StringComparison.Ordinal);
        Assert.Contains("Duplicate properties not allowed", Fault(layerTwice), StringComparison.Ordinal);

        static string Fault(string text) => Assert.Throws<ArgumentException>(() => PrunerState.FromJson(text)).Message;
    }

    [Fact]
    public void FromJson_WhenAnyMemberIsOfAnotherKindOrMissing_RefusesItOrGivesAValidState()
    {
        using var other = _run.Killed("unstructured");
        var json = _state.ToJson();
        foreach (var path in Paths(JsonNode.Parse(json)!, []).ToArray())
        {
            foreach (var value in (string?[])["null", "true", "-1", "0.5", "1e99", "\"x\"", "[]", "{}", "[1]", "{\"a\": 1}", null])
            {
                var root = JsonNode.Parse(json)!.AsObject();
                var parent = path[..^1].Aggregate(root, (node, name) => node[name]!.AsObject());
                parent.Remove(path[^1]);
                if (value is not null)
                    parent[path[^1]] = JsonNode.Parse(value);
                RequireRefusedOrValid(other.Pruner, root.ToJsonString());
            }
        }
    }

    [Fact]
    public void FromJson_OfJsonThatIsCutOffOrChanged_RefusesItOrGivesAValidState()
    {
        using var other = _run.Killed("unstructured");
        var json = _state.ToJson();
        string[] pieces = ["", "null", "-1", "0", "9", "1e999", "\"", "{", "}", "[", ",", "\\ud800", "\"NaN\"", "\0", "A", "é", "true"];
        var cases = Gen.Select(Gen.Int[0, json.Length - 1], Gen.Int[0, 12], Gen.Int[0, pieces.Length - 1].Select(i => pieces[i]), Gen.Bool);

        Law.Holds(cases, mutation =>
        {
            var (start, length, piece, isCut) = mutation;
            var changed = isCut && length == 0 ? json[..start] : $"{json[..start]}{piece}{json[Math.Min(json.Length, start + length)..]}";
            RequireRefusedOrValid(other.Pruner, changed);
        }, count: 300);
    }

    /// <summary>The names that lead to each member of an object and of the objects in it.</summary>
    private static IEnumerable<string[]> Paths(JsonNode node, string[] before)
    {
        foreach (var (name, value) in node.AsObject())
        {
            yield return [.. before, name];
            if (value is JsonObject inner)
            {
                foreach (var path in Paths(inner, [.. before, name]))
                    yield return path;
            }
        }
    }

    private static JsonObject Deep(int levels)
    {
        var inner = new JsonObject();
        for (var i = 0; i < levels; i++)
            inner = new JsonObject { ["a"] = inner };
        return inner;
    }

    private void RequireRefusedOrValid(PdpPruner pruner, string json)
    {
        PrunerState state;
        try
        {
            state = PrunerState.FromJson(json);
        }
        catch (ArgumentException)
        {
            return;
        }

        var before = pruner.GetState().ToJson();
        try
        {
            pruner.Restore(state);
        }
        catch (ArgumentException)
        {
            Assert.Equal(before, pruner.GetState().ToJson());
            return;
        }

        Assert.Equal(_state.Masks, pruner.GetState().Masks);
        pruner.BeginEpoch(pruner.Epoch!.Value);
        pruner.Mask().Dispose();
        pruner.Restore(_state);
    }
}
