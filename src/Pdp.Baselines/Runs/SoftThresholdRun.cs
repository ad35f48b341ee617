using Pdp.Baselines.Internal;
using static TorchSharp.torch;

namespace Pdp.Baselines.Runs;

/// <summary>A run of STR: s is the learned threshold of a layer before the sigmoid, σ(s) the threshold, g = ∂L/∂ŵ.</summary>
internal sealed class SoftThresholdRun(IReadOnlyList<MethodLayer> layers, double start) : IMethodRun
{
    private readonly Learned[] _thresholds = [.. layers.Select(layer => new Learned(layer, "threshold", [1], start))];
    private readonly long[] _removed = new long[layers.Count];
    private readonly Intervals _epochs = new(1);

    public IReadOnlyList<NamedParameter> Parameters =>
        [.. _thresholds.Select(threshold => new NamedParameter(threshold.Name, threshold.Parameter))];

    // Counting waits for the device, so it is done once per epoch.
    public void Begin(double epoch)
    {
        var isNew = _epochs.IsNew(epoch);
        for (var layer = 0; layer < layers.Count; layer++)
        {
            if (isNew)
                _removed[layer] = CountRemoved(layer);
            layers[layer].Remove(_removed[layer]);
        }

        if (isNew)
            _epochs.Note(epoch);
    }

    /// <summary>
    /// sign(w)·ReLU(|w| − σ(s)), computed as the part of w beyond ±σ(s): with a single rounding, and exactly w if σ(s) is 0.
    /// </summary>
    public Tensor Forward(int layer, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var threshold = Threshold(layer);
        return weight.sub(weight.clamp(threshold.neg(), threshold)).MoveToOuterDisposeScope();
    }

    /// <summary>∂L/∂w = g·1[|w| &gt; σ(s)]; adds ∂L/∂s = −σ′(s)·Σ g·sign(w) over the same weights.</summary>
    public Tensor Backward(int layer, Tensor weight, Tensor upstream)
    {
        using var scope = NewDisposeScope();
        var gradient = upstream.mul(weight.abs().gt(Threshold(layer)));
        var threshold = _thresholds[layer];
        // σ′(s) = σ(s)·σ(−s): accurate even where 1 − σ(s) is not.
        var slope = Threshold(layer).mul(threshold.Parameter.neg().sigmoid_());
        threshold.AddGradient(gradient.mul(weight.sign()).sum().neg().mul(slope), pull: gradient);
        return gradient.MoveToOuterDisposeScope();
    }

    /// <summary>|w| &gt; σ(s); the largest weight always counts as kept, as masks keep at least one member.</summary>
    public Tensor Kept(int layer, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var mask = layers[layer].Mask;
        var magnitude = mask.Strategy.Magnitude(weight, mask.Layout);
        var largest = magnitude.argmax(1, keepdim: true);
        return magnitude.gt(Threshold(layer)).scatter_(1, largest, largest.ones_like(ScalarType.Bool)).MoveToOuterDisposeScope();
    }

    public void RequireTrained(bool isFinal)
    {
        foreach (var threshold in _thresholds)
            threshold.RequireFinite();
        Learned.RequireMoved(_thresholds, isFinal, "thresholds",
            $"they still remove what they did at the start: {Learned.Cure} Far below 0, only decay moves them: if an optimizer has them, "
            + "give them weight decay or raise Str.Start.");
    }

    public void Dispose()
    {
        foreach (var threshold in _thresholds)
            threshold.Dispose();
    }

    private Tensor Threshold(int layer) => _thresholds[layer].Parameter.sigmoid();

    private long CountRemoved(int layer)
    {
        using var scope = NewDisposeScope();
        var kept = Kept(layer, layers[layer].Weight!.to_type(_thresholds[layer].Parameter.dtype));
        return layers[layer].Mask.Members - kept.sum().cpu().ReadCpuInt64(0);
    }
}
