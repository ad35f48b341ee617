using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distilling;

/// <summary>The results of a student and a teacher for the same input. It must be used within a dispose scope of the caller.</summary>
internal sealed class TaughtPair
{
    private static readonly Scalar Zero = 0.ToScalar();
    private readonly Tensor _student;
    private readonly Tensor _teacher;

    /// <summary>Which positions don't count, [...]; null if all count.</summary>
    private readonly Tensor? _padding;

    /// <exception cref="ArgumentException">Shapes don't match or are empty, or the teacher's tensor has a graph.</exception>
    public TaughtPair(Tensor student, Tensor teacher, Tensor? mask, string what)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        RequireFit(student, teacher, mask, what);
        _padding = mask?.eq(Zero);
        (_student, _teacher) = (student, teacher);
    }

    /// <summary>KL(p ‖ q) of the softened answers: the mean over positions of Σ p·(log p − log q).</summary>
    public Tensor Divergence(double temperature) => Mean(SoftTargets.Divergence(_student, _teacher, _padding, temperature));

    /// <summary>The mean over positions of the distance of hidden states.</summary>
    public Tensor Distance(HiddenDistance kind)
    {
        var (student, teacher) = (Wide(_student), Wide(_teacher));
        if (kind == HiddenDistance.MeanSquare)
        {
            var difference = student.sub(teacher);
            return Mean(difference.mul(difference).mean([-1]));
        }

        var cosine = nn.functional.cosine_similarity(student, teacher, dim: -1);
        return Mean(ones_like(cosine).sub(cosine));
    }

    private static void RequireFit(Tensor student, Tensor teacher, Tensor? mask, string what)
    {
        if (student.dim() == 0 || !student.shape.AsSpan().SequenceEqual(teacher.shape))
        {
            throw new ArgumentException(
                $"The student's {what} are [{string.Join(", ", student.shape)}], and the teacher's [{string.Join(", ", teacher.shape)}].");
        }

        if (student.numel() == 0)
        {
            throw new ArgumentException($"The {what} are [{string.Join(", ", student.shape)}], which holds nothing to compare.");
        }

        if (mask is not null && !mask.shape.AsSpan().SequenceEqual(student.shape.AsSpan()[..^1]))
        {
            throw new ArgumentException(
                $"The mask is [{string.Join(", ", mask.shape)}], and the {what} are [{string.Join(", ", student.shape)}]: "
                + "it must have their shape without the last dimension.");
        }

        if (teacher.requires_grad)
        {
            throw new ArgumentException($"The teacher's {what} have a graph: call the teacher under torch.no_grad().");
        }
    }

    // Zeros in place of what doesn't count keep its NaN out of the gradients, too.
    private Tensor Wide(Tensor given)
    {
        var wide = given.to_type(ScalarType.Float64);
        return _padding is null ? wide : wide.masked_fill(_padding.unsqueeze(-1), Zero);
    }

    // The mean over the positions that count; 0 if none does.
    private Tensor Mean(Tensor values)
    {
        if (_padding is null)
        {
            return values.mean();
        }

        var counted = _padding.logical_not().sum().to_type(values.dtype);
        return values.masked_fill(_padding, Zero).sum().div(maximum(counted, ones_like(counted)));
    }
}
