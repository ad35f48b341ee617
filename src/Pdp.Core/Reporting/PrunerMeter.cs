using System.Diagnostics.Metrics;
using Pdp.Masking;
using static TorchSharp.torch;

namespace Pdp.Reporting;

/// <summary>The instruments of one pruner, of the meter <c>Pdp</c>: they are removed with it.</summary>
/// <remarks>
/// Listeners ask on threads of their own, so that all they get are readings that the training thread took in a step. It takes none where
/// nothing listens. Owns the hard masks of the last reading.
/// </remarks>
internal sealed class PrunerMeter : IDisposable
{
    private static int _pruners;

    private readonly Meter _meter = new("Pdp");
    private readonly Readings _readings = new(Interlocked.Increment(ref _pruners));
    private readonly Instrument[] _measured;
    private readonly int _interval;
    private readonly bool _perLayer;
    private Tensor?[] _kept = [];
    private long _next;

    /// <summary>Publishes the instruments.</summary>
    /// <param name="interval">The steps from one reading to the next.</param>
    /// <param name="perLayer">Whether layers are told of one by one too.</param>
    public PrunerMeter(int interval, bool perLayer)
    {
        (_interval, _perLayer) = (interval, perLayer);
        var readings = _readings;
        _meter.CreateObservableCounter(
            "pdp.steps", () => new Measurement<long>(readings.Steps, readings.Tag), "{step}", "Mask scopes with gradients recorded.");
        _measured =
        [
            Gauge("pdp.sparsity.target", reading => reading.Removed / reading.Elements, "Share of weights that hard masks remove."),
            Gauge("pdp.sparsity.soft", reading => 1 - (reading.Kept / reading.Elements), "Mean of 1 - m, of the soft masks m."),
            Gauge("pdp.undecided", reading => reading.Undecided / reading.Elements, "Share of soft masks in (0.05, 0.95)."),
            Gauge("pdp.leak", reading => reading.Total > 0 ? reading.Lost / reading.Total : 0, "Share of |m*w| that commit would remove."),
            _meter.CreateObservableGauge(
                "pdp.flips", () => readings.Of(reading => reading.Flips), "{weight}", "Weights that changed sides since the last reading."),
        ];

        Instrument Gauge(string name, Func<LayerReading, double> value, string description) =>
            _meter.CreateObservableGauge(name, () => readings.Of(value), "1", description);
    }

    private bool IsListenedTo
    {
        get
        {
            foreach (var instrument in _measured)
            {
                if (instrument.Enabled)
                    return true;
            }

            return false;
        }
    }

    /// <summary>Counts a step that is about to begin, and takes a reading if something listens and it is time.</summary>
    public void Step(PrunedLayer[] layers)
    {
        var step = _readings.Steps++;
        if (!IsListenedTo)
        {
            if (_kept.Length > 0)
                Forget();
        }
        else if (step >= _next)
        {
            Read(layers);
            _next = step + _interval;
        }
    }

    public void Dispose()
    {
        _meter.Dispose();
        Forget();
    }

    private void Read(PrunedLayer[] layers)
    {
        var before = _kept.Length > 0 ? _kept : new Tensor?[layers.Length];
        var read = new LayerReading[layers.Length];
        _kept = before;
        for (var i = 0; i < layers.Length; i++)
        {
            (read[i], var kept) = LayerReading.Of(layers[i].Group, before[i]);
            before[i]?.Dispose();
            before[i] = kept;
        }

        var all = LayerReading.OfAll(read);
        _readings.Last = _perLayer ? [all, .. read] : [all];
    }

    private void Forget()
    {
        foreach (var kept in _kept)
            kept?.Dispose();
        (_kept, _next) = ([], 0);
    }

    /// <summary>What listeners see; it holds nothing of the model, since an undisposed meter is held forever.</summary>
    private sealed class Readings(int pruner)
    {
        private volatile LayerReading[] _last = [];
        private long _steps;

        public long Steps
        {
            get => Volatile.Read(ref _steps);
            set => Volatile.Write(ref _steps, value);
        }

        /// <summary>Tells pruners of one process apart, counted from 1.</summary>
        public KeyValuePair<string, object?> Tag { get; } = new("pruner", pruner);

        public LayerReading[] Last
        {
            set => _last = value;
        }

        public IEnumerable<Measurement<T>> Of<T>(Func<LayerReading, T> value)
            where T : struct => [.. _last.Select(reading => new Measurement<T>(value(reading), TagsOf(reading)))];

        private KeyValuePair<string, object?>[] TagsOf(LayerReading reading) =>
            reading.Layer is { } layer ? [Tag, new("layer", layer)] : [Tag];
    }
}
