using System.Runtime.InteropServices;
using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics.Kernels;

public sealed unsafe class RankSearchTests
{
    /// <summary>Little room, so that samples, histograms and ties that overflow it come up in small inputs.</summary>
    private const int Room = 256;

    private static readonly Func<Random, int, float>[] Kinds =
    [
        (random, _) => Normal(random),
        (random, _) => MathF.Pow(Normal(random), 5),
        (random, _) => MathF.Round(4 * Normal(random)) / 4,
        (random, _) => random.NextDouble() < 0.9 ? 0 : Normal(random),
        (random, _) => random.NextDouble() < 0.9 ? -0f : 1e-3f * Normal(random),
        (_, _) => 0,
        (_, _) => -0.25f,
        (_, i) => i,
        (_, i) => -1e-3f * i,
        (_, i) => i % 2 == 0 ? float.MaxValue : -float.Epsilon,
        (random, _) => BitConverter.Int32BitsToSingle(random.Next(0x00800000)),
        (random, _) => BitConverter.Int32BitsToSingle(random.Next(KeyScan.Infinity) | (random.Next(2) << 31)),
        (random, i) => i % 9 == 0 ? Normal(random) : 1e-20f * Normal(random),
        (random, _) => 1 + (1e-6f * random.Next(3)),
    ];

    public RankSearchTests() => manual_seed(1);

    [Fact]
    public void Find_OnTenThousandInputs_IsAFullSortBitForBit()
    {
        var random = new Random(1);
        var search = new RankSearch(Room, runner: null);

        for (var run = 0; run < 10_000; run++)
        {
            var kind = Kinds[run % Kinds.Length];
            var count = run % 100 == 0 ? random.Next(2, 20_000) : random.Next(2, 700);
            float[] weights = [.. Enumerable.Range(0, count).Select(i => kind(random, i))];

            RequireSorted(search, weights, random.Next(count - 1), new KeyBracket());
        }
    }

    [Fact]
    public void Find_WhileWeightsMoveAndJump_IsAFullSortBitForBit()
    {
        var random = new Random(2);
        var search = new RankSearch(Room, runner: null);
        var bracket = new KeyBracket();
        float[] weights = [.. Enumerable.Range(0, 5000).Select(_ => Normal(random))];

        for (var step = 0; step < 400; step++)
        {
            var scale = step % 50 == 49 ? 3f : step % 77 == 76 ? 0 : 1 + (1e-4f * Normal(random));
            for (var i = 0; i < weights.Length; i++)
                weights[i] = (weights[i] * scale) + (step % 77 == 0 ? Normal(random) : 1e-4f * Normal(random));

            RequireSorted(search, weights, 10 * step, bracket);
        }
    }

    [Fact]
    public void Find_WhereTheRankMovesBesideACliff_SeldomBracketsMoreThanTheRoom()
    {
        // All but a few weights are below 1, as fresh ones from a uniform distribution in a layer that is to lose nearly all.
        const int Many = 1 << 18;
        const int Few = 256;
        const int MuchRoom = 1 << 13;
        var random = new Random(4);
        var search = new RankSearch(MuchRoom, runner: null);
        var bracket = new KeyBracket();
        float[] weights = [.. Enumerable.Range(0, Many).Select(_ => (float)random.NextDouble())];
        float[] few = [.. Enumerable.Range(0, Few).Select(_ => 1 + (0.3f * (float)random.NextDouble()))];
        var overflows = 0;

        for (var step = 0; step < 60; step++)
        {
            var scale = 1 + (0.1f * (float)random.NextDouble());
            for (var i = 0; i < Few; i++)
                weights[i] = few[i] * scale;
            fixed (float* bits = weights)
                search.Find((int*)bits, Many, Many - (Few / 2), bracket, out _, out _);
            var inside = weights.Count(
                weight => BitConverter.SingleToInt32Bits(weight) >= bracket.Low && BitConverter.SingleToInt32Bits(weight) <= bracket.High);
            overflows += inside > MuchRoom ? 1 : 0;
        }

        Assert.InRange(overflows, 0, 4);
    }

    [Fact]
    public void Find_WithHelpers_IsTheSameAsAlone()
    {
        var random = new Random(3);
        float[] weights = [.. Enumerable.Range(0, 1_000_003).Select(_ => Normal(random))];
        var search = new RankSearch(1 << 13, new ParallelRunner()) { Threads = 2 };
        var bracket = new KeyBracket();

        foreach (var rank in (int[])[900_000, 900_100, 100, 1_000_001, 0])
            RequireSorted(search, weights, rank, bracket);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Find_WhereANumberIsNotFinite_SaysSo(float poison)
    {
        var search = new RankSearch(Room, runner: null);

        foreach (var place in (int[])[0, 777, 1002])
        {
            var weights = new float[1003];
            weights[place] = poison;
            fixed (float* address = weights)
            {
                Assert.False(search.Find((int*)address, weights.Length, 500, new KeyBracket(), out var _, out var _));
                Assert.True(search.Largest((int*)address, weights.Length) >= KeyScan.Infinity);
            }
        }
    }

    [Fact]
    public void Find_OnATensor_IsWhatKthvalueGives()
    {
        using var scope = NewDisposeScope();
        var weights = randn(1, 70_001);
        var search = new RankSearch(1 << 13, runner: null);
        var magnitudes = weights.abs();

        fixed (byte* address = weights.bytes)
            Assert.True(search.Find((int*)address, 70_001, 63_000, new KeyBracket(), out var key, out var above)
                && key == Bits(magnitudes.kthvalue(63_001, 1).values)
                && above == Bits(magnitudes.kthvalue(63_002, 1).values));
    }

    private static void RequireSorted(RankSearch search, float[] weights, int rank, KeyBracket bracket)
    {
        int[] sorted = [.. weights.Select(MathF.Abs).Order().Select(BitConverter.SingleToInt32Bits)];
        fixed (float* address = weights)
        {
            Assert.True(search.Find((int*)address, weights.Length, rank, bracket, out var key, out var above));
            Assert.Equal((sorted[rank], sorted[rank + 1]), (key, above));
        }
    }

    private static int Bits(Tensor value) => MemoryMarshal.Read<int>(value.bytes);

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
