// What pruning costs. Each measurement is one line of JSON.
//
//   dotnet run -c Release --project bench/Pdp.Benchmarks -- NAME [--quick] [--threads N] [--only TEXT] [--sparsity LIST] [--data DIR]
//       [--device NAME] [--published]
//
//   threshold   exact selection against kthvalue, topk and sort
//   mask        enter and exit against autograd on tensor operations, and against PQuantML's formulation
//   step        a masked training step against a dense one
//   device      a masked step on the CPU and on a GPU, --device: how far weights and gradients are apart
//   sparse      layers and networks on their nonzeros against the same ones dense; --sparsity 2:4,0.8,global:0.9 chooses the zeros
//   first       the first calls of a process: networks as they are against packed by a plan, each in processes of its own
//   floor       where the time of packed layers and networks goes, and what it can't go below
//   packing     networks of few zeros and of many, as they are against packed by choice, and the smallest ratio of all
//   shrink      the forward pass of a shrunk network against the dense one
//   widths      the kernels under settings of the runtime, each in a process of its own; fails where one is 3 times slower;
//               --published: as ReadyToRun and as native code, too
//   report      making a pruner, its plan, a report and a commit, of 21 M weights
//   optimizer   a step of the shipped optimizers against TorchSharp's own
//   memory      peak resident memory, dense and masked
//   pictures    the ImageNet sample's pictures against bare decoding; --data has train/<class>/* and val/<class>/*
//   kernels     the kernels under BenchmarkDotNet, with its own options after the name
using BenchmarkDotNet.Running;
using Pdp.Benchmarks;

if (args.Length == 0)
{
    Console.Error.WriteLine(
        "One of threshold, mask, step, device, shrink, sparse, first, floor, packing, report, optimizer, memory, widths, pictures, "
        + "kernels is needed.");
    return 2;
}

if (args[0] == "kernels")
{
    // In this process, as another one would lack the native backend.
    BenchmarkSwitcher.FromTypes([typeof(KernelBenchmarks)]).Run(["--inProcess", "--filter", "*", .. args[1..]]);
    return 0;
}

var run = Run.Parse(args[1..]);
TorchSharp.torch.set_num_threads(run.Threads);
TorchSharp.torch.manual_seed(0);
switch (args[0])
{
    case "threshold":
        ThresholdBenchmark.Measure(run);
        return 0;
    case "mask":
        MaskBenchmark.Measure(run);
        return 0;
    case "step":
        StepBenchmark.Measure(run);
        return 0;
    case "device":
        DeviceBenchmark.Measure(run);
        return 0;
    case "sparse":
        SparseBenchmark.Measure(run);
        return 0;
    case "first":
        FirstBenchmark.Measure(run);
        return 0;
    case FirstBenchmark.Child:
        FirstBenchmark.MeasureAlone(run);
        return 0;
    case "floor":
        FloorBenchmark.Measure(run);
        return 0;
    case "packing":
        PackingBenchmark.Measure(run);
        return 0;
    case "shrink":
        ShrinkBenchmark.Measure(run);
        return 0;
    case "pictures":
        PicturesBenchmark.Measure(run);
        return 0;
    case "memory":
        MemoryBenchmark.Measure(run);
        return 0;
    case "report":
        ReportBenchmark.Measure(run);
        return 0;
    case "optimizer":
        OptimizerBenchmark.Measure(run);
        return 0;
    case "widths":
        return WidthsBenchmark.Measure(run) ? 0 : 1;
    case WidthsBenchmark.Child:
        WidthsProcess.Measure(run);
        return 0;
    case MemoryBenchmark.Child:
        MemoryBenchmark.MeasureAlone(run);
        return 0;
    default:
        Console.Error.WriteLine($"There is no benchmark '{args[0]}'.");
        return 2;
}
