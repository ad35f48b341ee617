using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>Random inputs like those of an example.</summary>
internal static class ProbeInput
{
    /// <summary>Normal numbers as large as the example's, times a gain; of integers those in the example's range.</summary>
    /// <param name="example">The tensors of the example.</param>
    /// <param name="shapeOf">The shape of each.</param>
    /// <param name="gain">The gain.</param>
    /// <param name="seed">What the random numbers start from.</param>
    public static IReadOnlyList<Tensor> Normal(IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, double gain, ulong seed) =>
        Of(example, shapeOf, seed, (draw, shape, input) => draw.Normal(shape, gain * LargestOf(input), input));

    /// <summary>Positive numbers as large as the example's; of integers those in the example's range.</summary>
    public static IReadOnlyList<Tensor> Positive(IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, ulong seed) =>
        Of(example, shapeOf, seed, (draw, shape, input) => draw.Uniform(shape, 0.25 * LargestOf(input), LargestOf(input), input));

    private static IReadOnlyList<Tensor> Of(IReadOnlyList<Tensor> example, Func<Tensor, long[]> shapeOf, ulong seed, Func<Draw, long[], Tensor, Tensor> real)
    {
        using var draw = new Draw(seed);
        return [.. example.Select(input => One(input))];

        Tensor One(Tensor input) =>
            IsFixed(input) ? input
            : input.is_floating_point() ? real(draw, shapeOf(input), input)
            : Whole(draw, shapeOf(input), input);
    }

    /// <summary>Flags, and masks that have infinite elements.</summary>
    private static bool IsFixed(Tensor input)
    {
        using var scope = NewDisposeScope();
        return input.numel() == 0 || input.dtype == ScalarType.Bool || input.is_complex() || !input.isfinite().all().cpu().ReadCpuBool(0);
    }

    /// <summary>From the least to the largest of the example; where it has only one number, from 0 to that, or to 1.</summary>
    private static Tensor Whole(Draw draw, long[] shape, Tensor input)
    {
        using var scope = NewDisposeScope();
        var (least, most) = (Read(input.min()), Read(input.max()));
        return draw.Whole(shape, least == most ? Math.Min(least, 0) : least, least == most ? Math.Max(most, 0) : most, input).MoveToOuterDisposeScope();

        static long Read(Tensor value) => value.to_type(ScalarType.Int64).cpu().ReadCpuInt64(0);
    }

    /// <summary>The largest magnitude; 1 for an example that is dark.</summary>
    private static double LargestOf(Tensor input)
    {
        using var scope = NewDisposeScope();
        var largest = input.abs().max().to_type(ScalarType.Float64).cpu().ReadCpuDouble(0);
        return largest > 0 ? largest : 1;
    }
}
