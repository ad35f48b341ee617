using BenchmarkDotNet.Attributes;
using Pdp.Numerics.Kernels;
using TorchSharp;

namespace Pdp.Benchmarks;

/// <summary>The kernels on one layer of 512×512×3×3, one thread; the copy is the baseline.</summary>
[MemoryDiagnoser]
public unsafe class KernelBenchmarks
{
    private const int Count = 512 * 512 * 9;

    private readonly RankSearch _search = new(Count / 32, runner: null);
    private readonly KeyBracket _bracket = new();
    private readonly UnstructuredKernel _unstructured = new(Count);
    private readonly NofMKernel _groups = new(4, new Pdp.WeightLayout([512, 512, 3, 3]));
    private torch.Tensor _weight = null!;
    private torch.Tensor _dense = null!;
    private torch.Tensor _gradient = null!;
    private torch.Tensor _sum = null!;

    [GlobalSetup]
    public void Prepare()
    {
        torch.set_num_threads(1);
        _weight = torch.randn(512, 512, 3, 3);
        _dense = _weight.clone();
        _gradient = torch.randn(512, 512, 3, 3);
        _sum = torch.zeros(512, 512, 3, 3);
        _unstructured.Set(1.6f, 1.7f, Sharpness.Of(0.25, isRelative: true));
        _groups.Set(2, Sharpness.Of(0.25, isRelative: true));
    }

    [Benchmark(Baseline = true)]
    public void Copy() => Buffer.MemoryCopy(Elements(_dense), Elements(_weight), sizeof(float) * (long)Count, sizeof(float) * (long)Count);

    [Benchmark]
    public bool ThresholdOfUnchangedWeights() =>
        _search.Find((int*)Elements(_weight), Count, Count / 10 * 9, _bracket, out var _, out var _);

    [Benchmark]
    public bool ThresholdCold() => _search.Find((int*)Elements(_weight), Count, Count / 10 * 9, new KeyBracket(), out var _, out var _);

    [Benchmark]
    public bool EnterAndLeave() => EnterAndLeave(_unstructured);

    [Benchmark]
    public bool EnterAndLeaveTwoOfFour() => EnterAndLeave(_groups);

    private static float* Elements(torch.Tensor tensor)
    {
        fixed (byte* bytes = tensor.bytes)
            return (float*)bytes;
    }

    /// <summary>The gradient is added to another, so that it is the same the next time.</summary>
    private bool EnterAndLeave(IMaskKernel kernel)
    {
        for (var piece = 0; piece < kernel.Pieces; piece++)
            kernel.Enter(piece, Elements(_weight), Elements(_dense));
        var isUnchanged = true;
        for (var piece = 0; piece < kernel.Pieces; piece++)
            isUnchanged &= kernel.Leave(piece, Elements(_weight), Elements(_dense), Elements(_gradient), Elements(_sum), radial: null);
        return isUnchanged;
    }
}
