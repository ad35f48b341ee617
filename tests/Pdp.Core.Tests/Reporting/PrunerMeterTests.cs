using System.Diagnostics.Metrics;

using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Reporting;

/// <summary>What a listener to the meter "Pdp" gets, and that nothing is done for nobody.</summary>
public sealed class PrunerMeterTests
{
    private static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
        MetricsInterval = 3,
    };

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    [InlineData("channel")]
    public void Listener_OfARun_GetsWhatTheReportSays(string strategy)
    {
        using var model = TestModels.Mlp();
        using var listener = new Listener();
        IMaskStrategy pattern = strategy switch { "2:4" => NofM.Keep(2, of: 4), "channel" => new PerChannel(), _ => new Unstructured() };
        using var pruner = new PdpPruner(model, Options with { Strategy = pattern, Sparsity = pattern.FixedSparsity is null ? 0.5 : null });
        pruner.BeginEpoch(0);
        var report = pruner.Report();
        var soft = pruner.Masks.Zip(model.parameters().Where(parameter => parameter.dim() == 2))
            .Sum(pair => SoftSum(pair.First, pair.Second));

        Train(model, pruner, steps: 1);

        Close.Equal(
            [pruner.Sparsity, 1 - (soft / report.PrunableWeights), report.Undecided, report.Leak, 0],
            [.. ((string[])["pdp.sparsity.target", "pdp.sparsity.soft", "pdp.undecided", "pdp.leak", "pdp.flips"]).Select(listener.Read)],
            1e-5,
            1e-6);
        Assert.Equal(1, listener.Read("pdp.steps"));
    }

    [Fact]
    public void SoftSparsity_OfZerosThatNoMaskRemoves_Is0()
    {
        using var model = TestModels.Mlp();
        using (no_grad())
        {
            foreach (var parameter in model.parameters())
                parameter.zero_();
        }

        using var listener = new Listener();
        using var pruner = new PdpPruner(model, Options with { Schedule = new LinearRamp(2, 4) });

        Train(model, pruner, steps: 1);

        Assert.Equal(0, listener.Read("pdp.sparsity.soft"));
    }

    [Fact]
    public void Flips_AreTheWeightsThatChangedSidesSinceTheLastReading()
    {
        using var model = TestModels.Mlp();
        using var listener = new Listener();
        using var pruner = new PdpPruner(model, Options with { MetricsInterval = 1, Include = ["first"] });
        var weight = model.parameters().First();
        Train(model, pruner, steps: 1);
        using var scope = NewDisposeScope();
        var before = pruner.Masks[0].Kept(weight).Values();
        Tensors.Fill(weight, Tensors.Normal(3, 512, 0.1));
        var flipped = pruner.Masks[0].Kept(weight).Values().Zip(before).Count(pair => pair.First != pair.Second);

        Train(model, pruner, steps: 1);

        Assert.True(flipped > 100);
        Assert.Equal(flipped, listener.Read("pdp.flips"));
    }

    [Fact]
    public void Readings_AreTakenOnceAnInterval_AndInStepsAlone()
    {
        using var model = TestModels.Mlp();
        using var listener = new Listener();
        using var pruner = new PdpPruner(model, Options with { Schedule = new LinearRamp(0, 1) });
        using var scope = NewDisposeScope();
        var input = TestModels.Batch(1).Inputs;
        var seen = new List<double>();
        for (var step = 0; step < 7; step++)
        {
            pruner.BeginEpoch(step * 0.1);
            using (no_grad())
            using (pruner.Mask())
                model.call(input);
            Train(model, pruner, steps: 1, epoch: step * 0.1);
            seen.Add(listener.Read("pdp.sparsity.target"));
        }

        // In the first step, the fourth and the seventh.
        Assert.Equal([1, 1, 1, 2, 2, 2, 3], seen.Select(value => seen.Distinct().ToList().IndexOf(value) + 1));
        Assert.Equal(7, listener.Read("pdp.steps"));
    }

    [Fact]
    public void Layers_WhereTheyAreAskedFor_AreTagged()
    {
        using var model = TestModels.Mlp();
        using var listener = new Listener();
        using var pruner = new PdpPruner(model, Options with { MetricsPerLayer = true });

        Train(model, pruner, steps: 1);
        var targets = listener.ReadAll("pdp.sparsity.target");

        Assert.Equal([null, "first.weight", "second.weight", "last.weight"], targets.Select(target => target.Layer));
        Assert.Equal(pruner.Masks.Select(mask => mask.RemovedWeights / (double)mask.Layout.Elements), targets.Skip(1)
            .Select(target => target.Value));
    }

    [Fact]
    public void Pruners_SideBySide_AreToldApart_AndGoWhenDisposed()
    {
        using var models = new Pair();
        using var listener = new Listener();
        var one = new PdpPruner(models.One, Options);
        using var other = new PdpPruner(models.Other, Options with { Sparsity = 0.8 });
        Parallel.Invoke(() => Train(models.One, one, 4), () => Train(models.Other, other, 4));

        var both = listener.ReadAll("pdp.sparsity.target");
        one.Dispose();
        var left = listener.ReadAll("pdp.sparsity.target");

        Assert.Equal([0.5, 0.8], both.Select(target => Math.Round(target.Value, 3)));
        Assert.NotEqual(both[0].Pruner, both[1].Pruner);
        Assert.Equal([both[1].Pruner], left.Select(target => target.Pruner));
    }

    [Fact]
    public void Step_WithAndWithoutAListener_LeavesNoTensorBehind()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, Options with { MetricsInterval = 1 });
        pruner.BeginEpoch(0);

        Leaks.None(() => Train(model, pruner, steps: 1));
        using (new Listener())
        {
            Leaks.None(() => Train(model, pruner, steps: 1));
        }

        Leaks.None(() => Train(model, pruner, steps: 1));
    }

    [Fact]
    public void Readings_ChangeNoBitOfARun()
    {
        byte[][] Trained(bool isListenedTo)
        {
            using var model = TestModels.Mlp();
            using var listener = isListenedTo ? new Listener() : null;
            using var pruner = new PdpPruner(model, Options with { MetricsInterval = 1 });
            Train(model, pruner, steps: 5);
            return TestModels.Bytes(model);
        }

        Assert.Equal(Trained(isListenedTo: false), Trained(isListenedTo: true));
    }

    [Fact]
    public void Interval_ByDefault_IsAHundred() => Assert.Equal(100, new PdpOptions { Epochs = 1 }.MetricsInterval);

    [Fact]
    public void Interval_BelowOne_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => Options with { MetricsInterval = 0 });

    private static double SoftSum(PdpMask mask, Tensor weight)
    {
        using var scope = NewDisposeScope();
        return mask.Soft(weight).sum(ScalarType.Float64).ReadCpuDouble(0);
    }

    private static void Train(nn.Module<Tensor, Tensor> model, PdpPruner pruner, int steps, double epoch = 0)
    {
        for (var step = 0; step < steps; step++)
            TestModels.Train(model, pruner, epoch, seed: step, learningRate: 0.01);
    }

    /// <summary>Listens to the gauges and the counter, and asks when it is told to, as dotnet-counters does.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<(string Name, double Value, int? Pruner, string? Layer)> _measurements = [];

        private readonly bool _isStarted;

        public Listener()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                // Earlier ones are those of other tests.
                if (_isStarted && instrument.Meter.Name == "Pdp")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
            _isStarted = true;
        }

        public List<(string Name, double Value, int? Pruner, string? Layer)> ReadAll(string name)
        {
            _measurements.Clear();
            _listener.RecordObservableInstruments();
            return [.. _measurements.Where(measurement => measurement.Name == name)];
        }

        public double Read(string name) => Assert.Single(ReadAll(name)).Value;

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            int? pruner = null;
            string? layer = null;
            foreach (var (key, tag) in tags)
                (pruner, layer) = key == "pruner" ? ((int?)tag, layer) : (pruner, (string?)tag);
            _measurements.Add((instrument.Name, value, pruner, layer));
        }
    }

    private sealed class Pair : IDisposable
    {
        public nn.Module<Tensor, Tensor> One { get; } = TestModels.Mlp();

        public nn.Module<Tensor, Tensor> Other { get; } = TestModels.Mlp(seed: 1);

        public void Dispose()
        {
            One.Dispose();
            Other.Dispose();
        }
    }
}
