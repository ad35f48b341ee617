using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>What pruning costs: all steps of a run, over the same steps without the time that was spent in pruning.</summary>
/// <param name="device">Where the steps run. The clock is read after waiting for a GPU, as it works asynchronously.</param>
internal sealed class StepCosts(Device device)
{
    private long _whole;
    private long _pruning;
    private long _begun;
    private long _mark;

    /// <summary>The time of all steps over what is left without pruning; null before the first step.</summary>
    public double? Ratio => _whole == 0 ? null : _whole / (double)(_whole - _pruning);

    public void BeginStep() => _begun = Now();

    public void BeginPruning() => _mark = Now();

    public void EndPruning() => _pruning += Now() - _mark;

    public void EndStep() => _whole += Now() - _begun;

    private long Now()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }

        return Stopwatch.GetTimestamp();
    }
}
