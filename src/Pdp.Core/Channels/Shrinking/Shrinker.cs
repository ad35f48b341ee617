using System.Globalization;
using Pdp.Channels.Cutting;
using Pdp.Channels.Probing.Checking;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Shrinking;

/// <summary>Removes masked channels from a model and checks that its output stays the same.</summary>
internal static class Shrinker
{
    /// <summary>
    /// Differences up to this share of the largest finite output element count as rounding, for float64, float32, and types of half
    /// precision. In the latter the share is a few of their steps; that the channels can be removed was found in a finer type.
    /// </summary>
    private const double ToleranceOfDouble = 1e-10;
    private const double Tolerance = 1e-3;
    private const double ToleranceOfHalf = 0.03;

    private const string Causes =
        "The channel map belongs to another model, weights have changed since the commit, or code depends on the number of channels.";

    /// <summary>Shrinks the model. After an exception the model is restored, even if the forward calls changed it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="groups">The groups and their kept channels.</param>
    /// <param name="mask">Sets the removed channels to zero.</param>
    /// <param name="forward">Calls the model.</param>
    /// <exception cref="InvalidOperationException">The output would change.</exception>
    public static ShrinkReport Shrink(Module model, IReadOnlyList<ShrunkGroup> groups, Action mask, Func<IReadOnlyList<Tensor>> forward)
    {
        using var mode = new EvaluationMode(model);
        using var before = new ModelValues(model);
        try
        {
            mask();
            Verify(model, groups, forward);
            return Shrink(model, groups, forward);
        }
        catch
        {
            before.Restore();
            throw;
        }
    }

    /// <summary>Checks the groups again, with the final weights and the channels that are really cut.</summary>
    private static void Verify(Module model, IReadOnlyList<ShrunkGroup> groups, Func<IReadOnlyList<Tensor>> forward)
    {
        using var runner = new ModelRunner(model, forward);
        var kept = groups.Where(shrunk => shrunk.Kept.Count < shrunk.Group.Channels)
            .ToDictionary(shrunk => shrunk.Group, shrunk => shrunk.Kept.ToArray());
        var verifier = new GroupVerifier(model, runner, new ShrinkScenarios(model, runner, kept));
        verifier.Pass([.. kept.Keys]);
        if (verifier.Refusals.Values.FirstOrDefault() is { } refusal)
        {
            throw new InvalidOperationException(
                $"The model can't be shrunk: {refusal}. {Causes}");
        }
    }

    private static ShrinkReport Shrink(Module model, IReadOnlyList<ShrunkGroup> groups, Func<IReadOnlyList<Tensor>> forward)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var record = ShrinkRecord.Of(model, groups);
        var parametersBefore = Count(model);
        // A model that draws random numbers draws the same ones in both calls, unless they are drawn for each channel.
        var random = get_rng_state();
        var masked = forward();
        var isRandom = !random.bytes.SequenceEqual(get_rng_state().bytes);
        using var surgery = Surgery.Keep(model, groups.Select(shrunk => (shrunk.Group, shrunk.Kept)));
        try
        {
            set_rng_state(random);
            var (difference, scale) = Compare(masked, forward(), isRandom);
            return new()
            {
                Record = record,
                Difference = difference,
                Scale = scale,
                ParametersBefore = parametersBefore,
                ParametersAfter = Count(model),
            };
        }
        catch
        {
            surgery.Undo();
            throw;
        }
    }

    /// <summary>Compares all outputs, and gives the difference of the one that differs most for its size.</summary>
    private static (double Difference, double Scale) Compare(IReadOnlyList<Tensor> masked, IReadOnlyList<Tensor> shrunk, bool isRandom) =>
        masked.Count == shrunk.Count
            ? masked.Zip(shrunk, (before, after) => Compare(before, after, isRandom)).DefaultIfEmpty()
                .MaxBy(output => output.Difference / Math.Max(output.Scale, double.Epsilon))
            : throw new InvalidOperationException(
                $"The shrunk model would have {shrunk.Count} outputs, not {masked.Count}. {Causes}");

    private static (double Difference, double Scale) Compare(Tensor masked, Tensor shrunk, bool isRandom)
    {
        if (!masked.shape.AsSpan().SequenceEqual(shrunk.shape))
        {
            throw new InvalidOperationException(
                $"The shrunk model's output would have the shape [{string.Join(", ", shrunk.shape)}], "
                + $"not [{string.Join(", ", masked.shape)}]. "
                + "The channel map belongs to another model, or to other sizes.");
        }

        if (masked.numel() == 0)
            return (0, 0);
        using Scalar zero = 0.ToScalar();
        // Infinities are equal, but have no difference, and NaN is not: a logit may be −∞, and an entry without a value NaN.
        var isEqual = masked.eq(shrunk).logical_or(masked.isnan().logical_and(shrunk.isnan()));
        var difference = Largest(masked.sub(shrunk).masked_fill(isEqual, zero));
        var scale = Largest(masked.masked_fill(masked.isfinite().logical_not(), zero));
        var tolerance = masked.dtype == ScalarType.Float64 ? ToleranceOfDouble
            : RoundingTolerance.IsCoarse(masked) ? ToleranceOfHalf
            : Tolerance;
        // Whether random outputs differ by more than chance has been checked before.
        return isRandom || difference <= tolerance * scale
            ? (difference, scale)
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The shrunk model's output would differ by {difference:0.0E+0}, where the largest value is {scale:0.0E+0}. ")
                + Causes);
    }

    private static double Largest(Tensor values) => values.abs().max().to_type(ScalarType.Float64).cpu().ReadCpuDouble(0);

    private static long Count(Module model) =>
        model.parameters().Where(parameter => parameter.numel() > 0).DistinctBy(TensorAddress.Of).Sum(parameter => parameter.numel());
}
