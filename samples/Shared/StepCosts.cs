using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>Measures what the steps of a run cost, and pruning in them.</summary>
/// <param name="device">Where the steps run. The clock is read after waiting for a GPU, as it works asynchronously.</param>
internal sealed class StepCosts(Device device)
{
    private RunCosts _earlier = RunCosts.None;
    private long _whole;
    private long _pruning;
    private long _begun;
    private long _mark;

    /// <summary>Up to now.</summary>
    public RunCosts SoFar => new(
        _earlier.StepSeconds + Seconds(_whole), _earlier.PruningSeconds + Seconds(_pruning),
        Greater(_earlier.PeakMemory, PeakMemory.Read()));

    /// <summary>Begins the training of this process.</summary>
    /// <param name="earlier">What the run has cost in earlier ones; null where that is not known, and not counted.</param>
    public void Begin(RunCosts? earlier)
    {
        _earlier = earlier ?? RunCosts.None;
        PeakMemory.Reset();
    }

    public void BeginStep() => _begun = Now();

    public void BeginPruning() => _mark = Now();

    public void EndPruning() => _pruning += Now() - _mark;

    public void EndStep() => _whole += Now() - _begun;

    private static double Seconds(long ticks) => Stopwatch.GetElapsedTime(0, ticks).TotalSeconds;

    private static long? Greater(long? a, long? b) => a is null || b > a ? b : a;

    private long Now()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }

        return Stopwatch.GetTimestamp();
    }
}
