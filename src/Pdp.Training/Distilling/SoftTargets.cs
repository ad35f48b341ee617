using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distilling;

/// <summary>KL(p ‖ q) of softened answers, with p of the teacher and q of the student.</summary>
/// <remarks>
/// A few rows at a time are computed in float64, and their gradient (q − p)/T with them, so that nothing of the size of the logits is
/// kept in float64. It must be used within a dispose scope of the caller.
/// </remarks>
internal static class SoftTargets
{
    /// <summary>How many numbers are in float64 at a time: few enough for a processor's cache.</summary>
    private const long AtOnce = 1 << 16;

    private static readonly Scalar Zero = 0.ToScalar();

    /// <summary>The divergence of each position, [...] in float64, with a graph to the student's logits.</summary>
    /// <param name="student">The student's logits, [..., classes].</param>
    /// <param name="teacher">The teacher's, in the same shape.</param>
    /// <param name="padding">Which positions don't count, [...]; null if all count.</param>
    /// <param name="temperature">The temperature T.</param>
    public static Tensor Divergence(Tensor student, Tensor teacher, Tensor? padding, double temperature)
    {
        var classes = student.shape[^1];
        var type = student.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var (values, gradient) = Compute(
            student.detach().reshape(-1, classes), teacher.detach().reshape(-1, classes), padding?.reshape(-1), type, temperature);

        // A sum with this gradient and the value 0; infinite logits, whose gradient is 0, would make it NaN.
        var lever = student.to_type(type).reshape(-1, classes).nan_to_num(0, 0, 0).mul(gradient).sum(-1);
        return values.sub(lever.detach().sub(lever)).reshape(student.shape[..^1]);
    }

    private static (Tensor Values, Tensor Gradient) Compute(
        Tensor student, Tensor teacher, Tensor? padding, ScalarType type, double temperature)
    {
        using var noGrad = no_grad();
        using Scalar softening = (1 / temperature).ToScalar();
        var (count, step) = (student.shape[0], Math.Max(1, AtOnce / student.shape[1]));
        var values = empty([count], dtype: ScalarType.Float64, device: student.device);
        var gradient = empty(student.shape, dtype: type, device: student.device);
        for (var start = 0L; start < count; start += step)
        {
            using var scope = NewDisposeScope();
            var rows = Math.Min(step, count - start);
            var skipped = padding?.narrow(0, start, rows).unsqueeze(-1);
            var (answer, target) = (Soften(student), Soften(teacher));
            var (p, q) = (target.exp(), answer.exp());

            // Where p = 0, p·(log p − log q) is 0, and not NaN as −∞ + ∞.
            var difference = target.sub(answer).masked_fill_(target.isneginf(), Zero);
            values.narrow(0, start, rows).copy_(difference.mul_(p).sum(-1));
            gradient.narrow(0, start, rows).copy_(q.sub_(p).mul_(softening));

            Tensor Soften(Tensor logits)
            {
                var wide = logits.narrow(0, start, rows).to_type(ScalarType.Float64).mul(softening);
                return (skipped is null ? wide : wide.masked_fill_(skipped, Zero)).log_softmax(-1);
            }
        }

        return (values, gradient);
    }
}
