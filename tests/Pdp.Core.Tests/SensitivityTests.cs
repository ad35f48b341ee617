using System.Text.Json;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

public sealed class SensitivityTests
{
    private static readonly double[] Levels = [0.25, 0.5, 0.9];

    [Fact]
    public void Scan_PrunesOneLayerAtATime_ByMagnitudeAndToTheCount()
    {
        using var model = TestModels.Mlp();
        Module[] layers =
            [.. model.named_children().Where(child => child.module is TorchSharp.Modules.Linear).Select(child => child.module)];
        var smallest = new List<double>();
        double Evaluate()
        {
            long[] zeros = [.. layers.Select(layer => TestModels.Zeros(layer.get_parameter("weight")!))];
            Assert.InRange(zeros.Count(count => count > 0), 0, 1);
            var pruned = Array.FindIndex(zeros, count => count > 0);
            if (pruned >= 0)
                smallest.Add(layers[pruned].get_parameter("weight")!.Values().Where(value => value != 0).Min(Math.Abs));
            return -zeros.Sum();
        }

        double[][] dense = [.. layers.Select(layer => layer.get_parameter("weight")!.Values())];
        var report = Sensitivity.Scan(model, Evaluate, Levels);

        Assert.Equal(0, report.Dense);
        Assert.Equal(["first.weight", "second.weight", "last.weight"], report.Layers.Select(layer => layer.Name));
        Assert.Equal([-128, -256, -460], report.Layers[0].Points.Select(point => point.Metric));
        Assert.Equal([32 / 128.0, 64 / 128.0, 115 / 128.0], report.Layers[2].Points.Select(point => point.Sparsity));
        var kept = from weights in dense
                   from level in Levels
                   select weights.Select(Math.Abs)
            .Order().ElementAt((int)(weights.Length * level));
        Assert.Equal(kept, smallest);
    }

    [Fact]
    public void Scan_WithProgress_ReportsEachLayerBeforeTheNext()
    {
        using var model = TestModels.Mlp();
        var received = new Received();
        var counts = new List<int>();
        double Evaluate()
        {
            counts.Add(received.Layers.Count);
            return counts.Count;
        }

        var report = Sensitivity.Scan(model, Evaluate, Levels, progress: received);

        Assert.Equal(report.Layers, received.Layers);
        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 2, 2, 2], counts);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(4)]
    public void Scan_WhateverTheEvaluationDoes_LeavesTheModelAsItWas(int failsAt)
    {
        using var model = TestModels.Cnn();
        using var scope = NewDisposeScope();
        using var input = Tensors.Of(Tensors.Normal(1, 2 * 3 * 36), [2, 3, 6, 6], ScalarType.Float32);
        model.train();
        model.call(input).pow(2).sum().backward();
        var (weights, gradients) = (TestModels.Bytes(model), model.parameters().Select(parameter => parameter.grad!.Bits()).ToArray());
        byte[][] buffers = [.. model.buffers().Select(buffer => buffer.Bits())];
        var evaluations = 0;
        double Evaluate()
        {
            Assert.False(model.training);
            Assert.False(is_grad_enabled());
            return evaluations++ == failsAt ? throw new TimeoutException("enough") : model.call(input).sum().ReadCpuSingle(0);
        }

        var fault = Record.Exception(() => Sensitivity.Scan(model, Evaluate, Levels));

        Assert.Equal(failsAt >= 0, fault is TimeoutException);
        Assert.Equal(failsAt >= 0 ? failsAt + 1 : 10, evaluations);
        Assert.True(model.training);
        Assert.Equal(weights, TestModels.Bytes(model));
        Assert.Equal(gradients, model.parameters().Select(parameter => parameter.grad!.Bits()));
        Assert.Equal(buffers, model.buffers().Select(buffer => buffer.Bits()));
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 4, Sparsity = 0.5 });
        pruner.BeginEpoch(0);
    }

    [Fact]
    public void Scan_WhenTheEvaluationChangesWeights_SaysSoAndPutsThemBack()
    {
        using var model = TestModels.Mlp();
        var weights = TestModels.Bytes(model);
        double Evaluate()
        {
            using var scope = NewDisposeScope();
            var first = model.parameters().First();
            if (TestModels.Zeros(first) > 0)
                first.zero_();
            return 0;
        }

        var error = Assert.Throws<InvalidOperationException>(() => Sensitivity.Scan(model, Evaluate, [0.5]));

        Assert.StartsWith("The evaluation must leave the weights as they are: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(weights, TestModels.Bytes(model));
    }

    [Theory]
    [InlineData("2:4", 0.5)]
    [InlineData("1x4", 0.7)]
    [InlineData("channel", 0.7)]
    [InlineData("groups", 0.7)]
    public void Scan_UnderAnyStrategy_RemovesWholeMembers(string strategy, double level)
    {
        using var model = TestModels.Cnn();
        var weights = TestModels.Bytes(model);
        using var example = ones(1, 3, 6, 6);
        IMaskStrategy pattern = strategy switch { "2:4" => NofM.Keep(2, of: 4), "1x4" => new Block(1, 4), _ => new PerChannel() };
        var options = new PdpOptions
        {
            Epochs = 1,
            Strategy = pattern,
            Channels = strategy == "groups"
            ? ChannelMap.Find(model, example) : null,
            Exclude = ["conv1"]
        };

        var report = Sensitivity.Scan(
            model, () => model.parameters().Sum(TestModels.Zeros), [level], strategy == "groups" ? options with { Exclude = [] } : options);

        Assert.All(report.Layers, layer => Assert.InRange(layer.Points[0].Sparsity, level - 0.25, level));
        // Of groups, biases and norms go too.
        Assert.All(report.Layers, layer => Assert.Equal(
            strategy == "groups", layer.Points[0].Metric > report.Dense + Math.Round(layer.Points[0].Sparsity * layer.Elements)));
        Assert.Equal(weights, TestModels.Bytes(model));
    }

    [Fact]
    public void Bounds_OfAReport_AreTheLargestLevelsOfEachLayerThatItStands()
    {
        var report = ReportOf(("a", [0.9, 0.89, 0.5]), ("b", [0.9, 0.9, 0.895]), ("c", [0.8, 0.9, 0.9]), ("d", [0.9, double.NaN, 0.9]));

        var bounds = report.Bounds(0.01);

        Assert.Equal([("'a'", 0.5), ("'b'", 0.9), ("'c'", 0), ("'d'", 0.25)], bounds.Select(
            rule => (rule.Match.ToString(), rule.MaximumSparsity!.Value)));
    }

    [Fact]
    public void Bounds_AsRules_HoldTheAllocationToThem()
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions
        {
            Epochs = 4,
            Sparsity = 0.6,
            Rules = [new LayerRule("last") { MinimumSparsity = 0.1 }],
            MaximumLayerSparsity = 0.85,
        };
        double Evaluate() => TestModels.Zeros(model.get_parameter("last.weight")!) > 40 ? 0.5 : 0.9;
        var report = Sensitivity.Scan(model, Evaluate, Levels, options);

        using var pruner = new PdpPruner(model, options with { Rules = report.Bounds(0.05) });
        var layers = pruner.Plan().Layers.ToDictionary(layer => layer.Name);

        Assert.Equal([0.85, 0.85, 0.25], report.Bounds(0.05).Select(rule => rule.MaximumSparsity!.Value));
        Assert.InRange(layers["last.weight"].Removed, 13, 32);
        Assert.Equal(Math.Round(0.6 * 1664), layers.Values.Sum(layer => layer.Removed));
    }

    [Fact]
    public void Bounds_OfLayersWhoseSparsityIsFixed_LeaveThemAlone()
    {
        using var model = TestModels.Mlp();
        var options = new PdpOptions
        {
            Epochs = 4,
            Strategy = NofM.Keep(2, of: 4),
            Rules = [new LayerRule("last") { Strategy = new Unstructured(), Sparsity = 0.5 }],
        };

        var bounds = Sensitivity.Scan(model, () => 1, [0.25], options).Bounds(0);

        var rule = Assert.Single(bounds);
        Assert.Equal(("'last.weight'", 0.5, null), (rule.Match.ToString(), rule.Sparsity, rule.MaximumSparsity));
        using var pruner = new PdpPruner(model, options with { Rules = bounds });
    }

    [Fact]
    public void Report_AsTextCsvAndJson_HasEachNumber()
    {
        var report = ReportOf(("a", [0.9, 0.89, 0.5]));

        var json = JsonDocument.Parse(report.ToJson()).RootElement;

        Assert.Equal(0.89, json.GetProperty("layers")[0].GetProperty("points")[1].GetProperty("metric").GetDouble());
        Assert.Equal("layer,strategy,weights,level,sparsity,metric,drop\na,unstructured,8,0.25,0.25,0.9,0\n", string.Concat(
            report.ToCsv().Split('\n').Take(2).Select(line => line + "\n")));
        Assert.Equal(
            ["layer  strategy      weights     25%     50%     90%", "a      unstructured        8  0.9000  "
                + "0.8900  0.5000", "The dense model has 0.9000; each layer was pruned alone."],
            report.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void ToCsv_OfANameWithACommaAndAQuote_QuotesIt() => Assert.Contains(
        "\n\"a,\"\"b\",unstructured,8,0.25,", ReportOf(("a,\"b", [0.9, 0.89, 0.5])).ToCsv(), StringComparison.Ordinal);

    [Fact]
    public void Scan_LeavesNoTensorBehind()
    {
        using var model = TestModels.Cnn();

        Leaks.None(() => Sensitivity.Scan(model, () => 1, Levels));
    }

    private static SensitivityReport ReportOf(params (string Name, double[] Metrics)[] layers) => new()
    {
        Dense = 0.9,
        Levels = Levels,
        Layers =
        [
            .. layers.Select(layer => new LayerSensitivity
            {
                Name = layer.Name,
                Strategy = "unstructured",
                Elements = 8,
                Points = [.. Levels.Zip(layer.Metrics, (level, metric) => new SensitivityPoint { Sparsity = level, Metric = metric })],
            }),
        ],
    };

    /// <summary>Takes what is reported at once; <c>Progress</c> posts it to the pool.</summary>
    private sealed class Received : IProgress<LayerSensitivity>
    {
        public List<LayerSensitivity> Layers { get; } = [];

        public void Report(LayerSensitivity value) => Layers.Add(value);
    }
}
