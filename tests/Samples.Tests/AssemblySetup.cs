using System.Runtime.CompilerServices;
using TorchSharp;

// TorchSharp has process-wide state: seed, threads, dispose scopes' statistics.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Pdp.Samples.Tests;

internal static class AssemblySetup
{
    // More threads than free cores make libtorch spin, and the order of sums depend on the machine.
    [ModuleInitializer]
    internal static void UseOneThread() => torch.set_num_threads(1);
}
