namespace Pdp.Tests.Saving;

/// <summary>What is wrong in a file of options is an error that says where it is and what is right.</summary>
public sealed class OptionsJsonFaultTests
{
    [Theory]
    [InlineData("""{ "epochs": 10, "sparsty": 0.9 }""", "$.sparsty is unknown; the members here are ")]
    [InlineData("""{ "sparsity": 0.9 }""", "$ lacks epochs; it has sparsity")]
    [InlineData("""{ "epochs": 10, "sparsity": 90 }""",
        "$.sparsity is not valid: Must be in [0, 1), a fraction: 0.9, not 90. Actual value was 90")]
    [InlineData("""{ "epochs": "ten" }""", "$.epochs is \"ten\" and must be a number")]
    [InlineData("""{ "epochs": 10, "schedule": { "type": "cubicRamp", "start": 10, "end": 5 } }""",
        "$.schedule.end is not valid: Must be in (10, ∞). Actual value was 5")]
    [InlineData("""{ "epochs": 10, "schedule": { "type": "cubicRamp", "start": 10 } }""", "$.schedule lacks end; it has type, start")]
    [InlineData("""{ "epochs": 10, "schedule": "oneShot" }""", "$.schedule lacks epoch; it has type")]
    [InlineData("""{ "epochs": 10, "schedule": { "type": "oneShoot" } }""",
        "$.schedule.type is 'oneShoot' and must be one of constantSparsity, oneShot, epsilonRamp")]
    [InlineData("""{ "epochs": 10, "schedule": { "epoch": 3 } }""", "$.schedule lacks type; it has epoch")]
    [InlineData("""{ "epochs": 10, "schedule": [] }""", "$.schedule must be an object")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "nofM", "kept": 4, "of": 4 } }""",
        "$.strategy.kept is not valid: Must be in [1, 4)")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "nofM", "kept": 2.5, "of": 4 } }""",
        "$.strategy.kept is 2.5 and must be a whole number")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "nofM", "kept": 2, "of": 4, "gradual": 1 } }""",
        "$.strategy.gradual is 1 and must be true or false")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "block", "rows": 1, "columns": 0 } }""",
        "$.strategy.columns is not valid: Must be in [1, ∞). Actual value was 0")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "perChannel", "score": "l3" } }""",
        "$.strategy.score is 'l3' and must be one of rms, l2")]
    [InlineData("""{ "epochs": 10, "strategy": { "type": "perChannel", "roundTo": 0 } }""",
        "$.strategy.roundTo is not valid: Must be in [1, ∞). Actual value was 0")]
    [InlineData("""{ "epochs": 10, "temperature": { "type": "relative", "from": 1, "to": 0.5 } }""", "$.temperature lacks start")]
    [InlineData("""{ "epochs": 10, "temperature": { "type": "relative", "from": -1 } }""",
        "$.temperature is not valid: Must be in (0, ∞). Actual value was -1")]
    [InlineData("""{ "epochs": 10, "temperature": { "type": "warm", "from": 1 } }""",
        "$.temperature.type is 'warm' and must be one of relative, absolute")]
    [InlineData("""{ "epochs": 10, "temperature": { "type": "absolute", "from": 1e-4, "radialCorrection": true } }""",
        "$.temperature.radialCorrection needs a relative temperature")]
    [InlineData("""{ "epochs": 10, "allocation": { "type": "sparsityTable", "sparsities": { "a.weight": 1 } } }""",
        "$.allocation.sparsities['a.weight']")]
    [InlineData("""{ "epochs": 10, "allocation": { "type": "macBudget", "fraction": 0.5 } }""",
        "$.allocation.type is macBudget, which needs the options' channels and macs")]
    [InlineData("""{ "epochs": 10, "exclude": "head" }""", "$.exclude must be a list")]
    [InlineData("""{ "epochs": 10, "exclude": ["head", null] }""", "$.exclude[1] is null")]
    [InlineData("""{ "epochs": 10, "exclude": ["head", ""] }""", "$.exclude[1] is empty and must be a name pattern")]
    [InlineData("""{ "epochs": 10, "exclude": [{ "type": "last" }] }""",
        "$.exclude[0].type is 'last' and must be one of first, classifier, module")]
    [InlineData("""{ "epochs": 10, "rules": [{ "match": "a" }, { "match": "b", "maximumSparsity": 2 }] }""",
        "$.rules[1].maximumSparsity is not valid: Must be in [0, 1]")]
    [InlineData("""{ "epochs": 10, "rules": [{ "sparsity": 0.5 }] }""", "$.rules[0] lacks match")]
    [InlineData("""{ "epochs": 10, "automaticStart": { "level": 0.5, "epochs": 0 } }""",
        "$.automaticStart.epochs is not valid: Must be in [1, ∞)")]
    [InlineData(
        """{ "epochs": 10, "channels": { "groups": [{ "name": "a", "channels": 1, "slices": [] }], "unsupported": {}, "shapes": {} } }""",
        "$.channels.groups is not valid: of 'a', it has 1 channels")]
    [InlineData("""{ "epochs": 10, "channels": { "groups": [], "refusal": {} } }""", "$.channels is not valid")]
    [InlineData("""{ "epochs": 10, "macs": { "layers": [{ "name": "a", "weight": "a.weight", "shape": [], "positions": 1 }] } }""",
        "$.macs.layers[0] is not valid")]
    [InlineData("""{ "epochs": 10, "epochs": 11 }""", "epochs")]
    [InlineData("""{ "epochs": 10, "Epochs": 11 }""", "Epochs")]
    [InlineData("""{ "epochs": 10""", "Not valid options")]
    [InlineData("""[]""", "$ must be an object")]
    [InlineData("""null""", "$ is null and must be an object")]
    [InlineData("", "Not valid options")]
    public void FromJson_WhenSomethingIsWrong_SaysWhereAndWhatIsRight(string json, string words)
    {
        var fault = Assert.Throws<ArgumentException>(() => PdpOptions.FromJson(json));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"epochs\":10,\"Epochs\":20}", "$ has a member twice")]
    [InlineData("{\"epochs\":10,\"automaticStart\":{\"level\":0.5,\"Level\":0.6}}", "$.automaticStart has a member twice")]
    [InlineData("{\"epochs\":", "Not valid options")]
    public void FromJson_WhenAMemberIsTwiceOrTheTextEnds_SaysSoInOneSentence(string json, string says)
    {
        var error = Assert.Throws<ArgumentException>(() => PdpOptions.FromJson(json));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromSettings_WhenAnItemIsMissingOrNameless_SaysWhich()
    {
        var gap = Assert.Throws<ArgumentException>(
            () => PdpOptions.FromSettings([new("Epochs", "4"), new("Exclude:0", "a"), new("Exclude:2", "c")]));
        var nameless = Assert.Throws<ArgumentException>(() => PdpOptions.FromSettings([new("Epochs", "4"), new(null!, "a")]));

        Assert.Contains("Exclude has no item 1", gap.Message, StringComparison.Ordinal);
        Assert.Contains("without a name", nameless.Message, StringComparison.Ordinal);
    }
}
