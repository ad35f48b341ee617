using Pdp.Baselines.Tests.Support;
using Pdp.Tests;
using static TorchSharp.torch;

namespace Pdp.Baselines.Tests;

/// <summary>
/// TorchSharp 0.107 lets the garbage collector free native objects that a native call still reads; this forces one every millisecond or so.
/// </summary>
public sealed class StressTests
{
    private const int Steps = 100;

    public static TheoryData<string> Names => ["SR-STE", "GraNet", "OptG", "STR"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_UnderForcedCollections_NeitherThrowNorChangeAWeightNorLeak(string name)
    {
        var expected = Trained(name).Weights;

        var (weights, tensors) = UnderCollections(() => Trained(name));

        Assert.Equal(expected, weights);
        Assert.InRange(tensors, long.MinValue, 0);
    }

    private static T UnderCollections<T>(Func<T> action)
    {
        using var stop = new CancellationTokenSource();
        var collecting = Repeat(() => GC.Collect(0, GCCollectionMode.Forced, blocking: true), stop.Token);
        try
        {
            return action();
        }
        finally
        {
            stop.Cancel();
            collecting.Join();
        }
    }

    /// <summary>
    /// The weights after a run of ten epochs, and by how many tensors there are more at its end than after its first half.
    /// </summary>
    private static (byte[][] Weights, long Tensors) Trained(string name)
    {
        using var scene = new Scene(new PdpOptions { Method = MethodOf(name), Sparsity = name == "STR" ? null : 0.6, Epochs = 10 });
        var half = 0L;
        for (var step = 0; step < Steps; step++)
        {
            scene.Train(step * 10.0 / Steps, step % 7);
            if (step == Steps / 2)
                half = Count();
        }

        return (TestModels.Bytes(scene.Model), Count() - half);
    }

    /// <summary>The tensors that live, without what waits for its finalizer.</summary>
    private static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }

    private static IPruningMethod MethodOf(string name) => name switch
    {
        "SR-STE" => new SrSte(),
        "GraNet" => new GraNet(),
        "OptG" => new OptG(),
        _ => new Str { Start = -2 },
    };

    private static Thread Repeat(Action action, CancellationToken stop)
    {
        var thread = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                action();
                // Two cores are too few for a collector that never rests.
                Thread.Sleep(1);
            }
        })
        {
            // Else a test that fails would leave a process that doesn't end.
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }
}
