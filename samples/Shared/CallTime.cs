using System.Diagnostics;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>Times calls of a network in evaluation.</summary>
internal static class CallTime
{
    private const int Calls = 51;

    /// <summary>The median time of a call in milliseconds, after some calls that aren't counted.</summary>
    /// <param name="call">Calls the network, under <c>inference_mode</c> and in a dispose scope of its own.</param>
    public static double Median(Action call)
    {
        using var inference = inference_mode();
        var times = Enumerable.Range(0, Calls + (Calls / 4)).Select(_ => Once(call)).Skip(Calls / 4);
        return times.Order().ElementAt(Calls / 2);
    }

    private static double Once(Action call)
    {
        using var scope = NewDisposeScope();
        var start = Stopwatch.GetTimestamp();
        call();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
