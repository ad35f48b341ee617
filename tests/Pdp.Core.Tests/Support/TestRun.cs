using System.Runtime.CompilerServices;
using TorchSharp;

// TorchSharp has process-wide state: the seed, the number of threads, the count of tensors.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Pdp.Tests.Support;

/// <summary>What holds for all tests: one thread in libtorch, so that sums come out the same on every machine.</summary>
internal static class TestRun
{
    [ModuleInitializer]
    internal static void Initialize() => torch.set_num_threads(1);
}
