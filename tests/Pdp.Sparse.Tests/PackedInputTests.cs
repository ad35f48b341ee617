using System.Globalization;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Packing;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Calls packed models with other inputs than the example, from several threads, while garbage is collected.</summary>
public sealed class PackedInputTests
{
    [Fact]
    public void Call_WhenInputIsNotLikeTheExample_GivesTheSame()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = Nets.Convolutions();
        Tensor[] inputs =
        [
            Nets.Picture(1), Nets.Picture(5), Nets.Picture(2, 16), Nets.Picture(2, 3), Nets.Picture(0),
            Nets.Picture(2, 12).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
            Nets.Picture(4, 12).slice(0, 0, 4, 2).slice(2, 1, 12, 1).transpose(2, 3), Nets.Picture()[0].unsqueeze(0),
        ];
        Tensor[] expected = [.. inputs.Select(model.call)];

        using var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);

        Assert.All(inputs.Zip(expected), pair => Assert.True(IsSame(model.call(pair.First), pair.Second)));
    }

    [Fact]
    public void Call_WhenManyThreadsCallWhileGarbageIsCollected_GivesTheSame()
    {
        var seconds = double.Parse(Environment.GetEnvironmentVariable("PDP_STRESS_SECONDS") ?? "1", CultureInfo.InvariantCulture);
        using var model = Nets.Convolutions();
        using var other = Nets.Convolutions();
        using var picture = Nets.Picture();
        using var packed = SparseModel.Pack(model, picture, Pruned.Everything);
        using var otherPacked = SparseModel.Pack(other, picture, Pruned.Everything);
        using var expected = Run(model, picture);
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var faults = 0;

        Thread[] threads =
        [
            .. Enumerable.Range(0, 4).Select(i => i % 2 == 0 ? model : other)
                .Select(called => new Thread(() => Repeat(called, picture, expected, end.Token, ref faults))),
        ];
        Array.ForEach(threads, thread => thread.Start());
        while (!end.IsCancellationRequested)
        {
            GC.Collect(0);
            // Without a rest, collections leave a busy machine no time for calls.
            Thread.Sleep(1);
        }

        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(0, faults);
    }

    [Fact]
    public void Call_WhenLayerIsPacked_AllocatesNoMoreThanItsProductAndOneTensor()
    {
        using var model = Pruned.Prune(Linear(64, 64), 0.8);
        using var input = ones(4, 64);
        using var tensor = ones(0);
        using var product = LayerForms.Make(new("", model), LayerFold.None, LayerForm.Packed);
        var ofProduct = Allocated(() => product.Run(input).Dispose());
        var ofTensor = Allocated(() => tensor.alias().Dispose());

        using var packed = SparseModel.Pack(model, input, Pruned.Everything);

        Assert.Equal(LayerForm.Packed, packed.Report.Layers.Single().Form);
        Assert.InRange(Allocated(() => model.call(input).Dispose()), 1, ofProduct + ofTensor);
    }

    private static long Allocated(Action call)
    {
        using var _ = inference_mode();
        for (var i = 0; i < 50; i++)
            call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++)
            call();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 50;
    }

    private static void Repeat(Module<Tensor, Tensor> model, Tensor picture, Tensor expected, CancellationToken end, ref int faults)
    {
        // Two calls at least, however busy the machine.
        for (var call = 0; call < 2 || !end.IsCancellationRequested; call++)
        {
            using var scope = NewDisposeScope();
            if (!Run(model, picture).bytes.SequenceEqual(expected.bytes))
                Interlocked.Increment(ref faults);
        }
    }

    private static Tensor Run(Module<Tensor, Tensor> model, Tensor picture)
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode();
        return model.call(picture).MoveToOuterDisposeScope();
    }

    private static bool IsSame(Tensor output, Tensor expected) =>
        expected.numel() == 0 ? output.shape.SequenceEqual(expected.shape) : Pruned.IsClose(output, expected);
}
