using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>
/// Steps while another thread collects and a third allocates, as data loaders do. The number of steps by the environment variable
/// PDP_STRESS_STEPS; 3,000 for each case by default, and more until something was collected.
/// </summary>
public sealed class StressTests
{
    [Theory]
    [InlineData("sgd", ScalarType.Float32)]
    [InlineData("sgd", ScalarType.Float64)]
    [InlineData("clipped sgd", ScalarType.Float32)]
    [InlineData("adamw", ScalarType.Float32)]
    [InlineData("adamw", ScalarType.Float64)]
    [InlineData("adam", ScalarType.Float32)]
    public void Step_UnderForcedCollections_NeitherFailsNorGoesWrong(string kind, ScalarType type)
    {
        var steps = int.Parse(Environment.GetEnvironmentVariable("PDP_STRESS_STEPS") ?? "3000", CultureInfo.InvariantCulture);
        using var scope = NewDisposeScope();
        var (calm, disturbed) = (Parameters(type), Parameters(type));

        using (new Disturbance())
        {
            var before = GC.CollectionCount(0);
            steps = Train(kind, disturbed, steps, () => GC.CollectionCount(0) > before);
        }

        Train(kind, calm, steps, () => true);

        Assert.All(calm.Zip(disturbed), pair => Assert.Equal(pair.First.Item2.bytes.ToArray(), pair.Second.Item2.bytes.ToArray()));
    }

    private static (string, Parameter)[] Parameters(ScalarType type)
    {
        var parameters = Enumerable.Range(0, 4).Select(i => ($"p{i}", new Parameter(ones(3, dtype: type)))).ToArray();
        foreach (var (_, parameter) in parameters)
            parameter.grad = ones(3, dtype: type);
        return parameters;
    }

    /// <summary>Takes some steps, and more if something is still to happen.</summary>
    /// <returns>How many were taken.</returns>
    private static int Train(string kind, (string, Parameter)[] parameters, int steps, Func<bool> hasHappened)
    {
        using FusedOptimizer optimizer = kind switch
        {
            "sgd" or "clipped sgd" => new FusedSgd(parameters, new SgdOptions { LearningRate = 1e-5, Momentum = 0.5, WeightDecay = 1e-4 }),
            "adamw" => new FusedAdamW(parameters, new AdamOptions { LearningRate = 1e-5 }),
            _ => new FusedAdam(parameters, new AdamOptions { LearningRate = 1e-5, WeightDecay = 1e-4 }),
        };
        var step = 0;
        for (; step < steps || !hasHappened(); step++)
        {
            if (kind == "clipped sgd")
                GradientClipping.ByNorm(parameters, 1e6, NonFiniteGradients.Zero).Dispose();
            optimizer.step();
        }

        return step;
    }

    /// <summary>Collections and allocations on threads of their own, until it is disposed.</summary>
    private sealed class Disturbance : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread[] _threads;

        public Disturbance() => _threads = [Repeat(Collect), Repeat(() => GC.KeepAlive(new byte[100_000]))];

        public void Dispose()
        {
            _stop.Cancel();
            foreach (var thread in _threads)
                thread.Join();
            _stop.Dispose();
        }

        // Without a rest, collections leave a busy machine no time for steps.
        private static void Collect()
        {
            GC.Collect(0, GCCollectionMode.Forced, blocking: true);
            Thread.Sleep(1);
        }

        private Thread Repeat(Action action)
        {
            var thread = new Thread(() =>
            {
                while (!_stop.IsCancellationRequested)
                    action();
            });
            thread.Start();
            return thread;
        }
    }
}
