using System.Globalization;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Optimizers;

/// <summary>
/// The first loop of the README, on a smaller model, while another thread allocates arrays of 100 KB, as a loader of pictures does. The
/// number of steps by the environment variable PDP_STRESS_STEPS; 3,000 by default, and more at the end until something was collected.
/// </summary>
public sealed class ReadmeLoopStressTests
{
    private const int Epochs = 12;

    [Fact]
    public void Loop_WhileAThreadAllocates_NeverThrowsAndCommitsExactly()
    {
        var steps = int.Parse(Environment.GetEnvironmentVariable("PDP_STRESS_STEPS") ?? "3000", CultureInfo.InvariantCulture) / Epochs;
        manual_seed(0);
        using var data = NewDisposeScope();
        var (points, classes) = Data(20);
        using var model = nn.Sequential(("fc1", nn.Linear(4, 16)), ("relu1", nn.ReLU()), ("head", nn.Linear(16, 2)));
        using var loss = nn.CrossEntropyLoss();
        using var optimizer = new FusedAdamW(model.named_parameters(), new AdamOptions { LearningRate = 3e-3 });
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.5, Epochs = Epochs, Exclude = ["head"] });
        var collections = GC.CollectionCount(0);

        using (new Allocations())
        {
            for (var epoch = 0; epoch < Epochs; epoch++)
            {
                for (var step = 0; step < steps || (epoch == Epochs - 1 && GC.CollectionCount(0) == collections); step++)
                {
                    using var scope = NewDisposeScope();
                    pruner.BeginEpoch(epoch, Math.Min(step, steps - 1), steps);
                    optimizer.zero_grad();
                    using (pruner.Mask())
                        loss.call(model.call(points[step % points.Length]), classes[step % points.Length]).backward();
                    optimizer.step();
                }
            }
        }

        Assert.Equal(32, pruner.Commit().Layers.Sum(layer => layer.Zeros));
        Assert.All(model.parameters(), parameter => Assert.All(parameter.data<float>(), value => Assert.True(float.IsFinite(value))));
    }

    private static (Tensor[] Points, Tensor[] Classes) Data(int batches)
    {
        var points = randn(batches * 8, 4);
        var classes = points.select(1, 0).mul(points.select(1, 1)).gt(zeros(batches * 8)).to_type(ScalarType.Int64);
        return (points.split(8), classes.split(8));
    }

    private sealed class Allocations : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread _thread;

        public Allocations()
        {
            _thread = new Thread(() =>
            {
                while (!_stop.IsCancellationRequested)
                    GC.KeepAlive(new byte[100_000]);
            });
            _thread.Start();
        }

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
            _stop.Dispose();
        }
    }
}
