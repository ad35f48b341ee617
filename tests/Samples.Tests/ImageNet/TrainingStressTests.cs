using System.Diagnostics;
using System.Globalization;

namespace Pdp.Samples.Tests.ImageNet;

/// <summary>
/// TorchSharp 0.107 lets the garbage collector free native objects that a native call still reads: of a loop with its own
/// optimizers, one step in some thousands fails where workers allocate. Seconds by the environment variable
/// PDP_STRESS_SECONDS; 4 by default.
/// </summary>
public sealed class TrainingStressTests
{
    // On a busy machine they take longer than the given time.
    private const int LeastSteps = 40;

    [Fact]
    public void Train_WhileWorkersAllocateAndCollect_NeitherThrowsNorChangesABit()
    {
        var seconds = double.Parse(Environment.GetEnvironmentVariable("PDP_STRESS_SECONDS") ?? "4", CultureInfo.InvariantCulture);
        using var calm = new TinyRun(TinyRun.Default);
        calm.Train();
        var expected = calm.State();

        using var stop = new CancellationTokenSource();
        Thread[] workers = [Repeat(() => GC.KeepAlive(new byte[100_000]), stop.Token), Repeat(Collect, stop.Token)];
        try
        {
            var steps = 0;
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed.TotalSeconds < seconds || steps < LeastSteps)
            {
                using var run = new TinyRun(TinyRun.Default);
                steps += run.Train().Epoch * run.Trainer.Steps;
                Assert.Equal(expected, run.State());
            }
        }
        finally
        {
            stop.Cancel();
            Array.ForEach(workers, worker => worker.Join());
        }
    }

    // A thousand times a second is often enough, and leaves time to train in.
    private static void Collect()
    {
        GC.Collect(0, GCCollectionMode.Forced, blocking: true);
        Thread.Sleep(1);
    }

    private static Thread Repeat(Action action, CancellationToken stop)
    {
        var thread = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                action();
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
