// One process of `bench -- widths`, apart from the benchmarks whose packages can't be compiled natively: that benchmark publishes
// and starts it.
using Pdp.Benchmarks;

var run = Run.Parse(args[1..]);
TorchSharp.torch.set_num_threads(run.Threads);
TorchSharp.torch.manual_seed(0);
WidthsProcess.Measure(run);
