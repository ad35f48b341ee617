using static TorchSharp.torch;

namespace Pdp.Channels.Probing.Running;

/// <summary>Random inputs that resemble those of an example.</summary>
internal static class ProbeInput
{
    /// <summary>
    /// Normal numbers with the magnitude of the example times a gain; for integers, uniform numbers in the example's range.
    /// </summary>
    /// <param name="example">The tensors of the example.</param>
    /// <param name="shapeOf">The shape of each.</param>
    /// <param name="gain">The gain.</param>
    /// <param name="seed">The seed of the random numbers.</param>
    public static IReadOnlyList<Tensor> Normal(IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, double gain, ulong seed) =>
        Of(example, shapeOf, seed, (random, shape, input) => random.Normal(shape, gain * LargestOf(input), input));

    /// <summary>Positive numbers with the magnitude of the example; for integers, uniform numbers in the example's range.</summary>
    public static IReadOnlyList<Tensor> Positive(IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, ulong seed) =>
        Of(example, shapeOf, seed, (random, shape, input) => random.Uniform(shape, 0.25 * LargestOf(input), LargestOf(input), input));

    private static IReadOnlyList<Tensor> Of(
        IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, ulong seed, Func<RandomTensors, long[], Tensor, Tensor> real)
    {
        using var random = new RandomTensors(seed);
        return [.. example.Select(input => One(input))];

        Tensor One(Tensor input) =>
            IsFixed(input) ? input
            : input.is_floating_point() ? real(random, shapeOf(input), input)
            : Whole(random, shapeOf(input), input);
    }

    /// <summary>Whether an input is kept as it is: flags, and masks with infinite elements.</summary>
    private static bool IsFixed(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.numel() == 0 || input.dtype == ScalarType.Bool || input.is_complex() || !input.isfinite().all().cpu().ReadCpuBool(0);
    }

    /// <summary>Numbers from the smallest to the largest of the example; if it has only one value, from 0 to it.</summary>
    private static Tensor Whole(RandomTensors random, long[] shape, Tensor input)
    {
        using var scope = NewDisposeScope();
        var (least, most) = (Read(input.min()), Read(input.max()));
        if (least == most)
            (least, most) = (Math.Min(least, 0), Math.Max(most, 0));
        return random.Whole(shape, least, most, input).MoveToOuterDisposeScope();

        static long Read(Tensor value) => value.to_type(ScalarType.Int64).cpu().ReadCpuInt64(0);
    }

    /// <summary>The largest magnitude; 1 for an example of zeros.</summary>
    private static double LargestOf(Tensor input)
    {
        using var scope = NewDisposeScope();
        var largest = input.abs().max().to_type(ScalarType.Float64).cpu().ReadCpuDouble(0);
        return largest > 0 ? largest : 1;
    }
}
