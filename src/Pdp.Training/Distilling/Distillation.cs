using Pdp.Training.Distilling;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>The loss of a student that learns from a teacher's answers as well as from labels.</summary>
/// <remarks>
/// L = (1 − α)·L_task + α·T²·KL(p ‖ q) + β·D, with the teacher's softened answers p = softmax(z_t/T), the student's q =
/// softmax(z_s/T), and D the distance of hidden states: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015),
/// section 2. T² keeps the gradients of the soft targets as large as those of the task. Each term is a mean over the positions that
/// count; what doesn't count has no influence, even if it is NaN; nor does a term whose weight is 0, which is not computed. Everything is
/// computed in float64: at a high temperature KL is a small difference of large numbers, of which float32 would keep few digits. The
/// divergence and its gradient are computed a few positions at a time, so that nothing of the size of the logits is kept in float64, and
/// the soft targets can be differentiated once, not twice.
/// </remarks>
public static class Distillation
{
    /// <summary>The loss from the task, the teacher's answers and, where given, its hidden states.</summary>
    /// <param name="task">The task's own loss, [].</param>
    /// <param name="student">The student's logits, [..., classes].</param>
    /// <param name="teacher">The teacher's logits in the same shape, computed under <c>torch.no_grad()</c>.</param>
    /// <param name="options">The settings.</param>
    /// <param name="mask">Which positions of the logits count, [...] without the classes: true or not 0; by default (null) all do.</param>
    /// <param name="hidden">The hidden states, whose distances are averaged; by default (null) none.</param>
    /// <returns>
    /// The loss, [], which the caller owns: float64 if the task's loss or the student's logits are, else float32.
    /// </returns>
    /// <exception cref="ArgumentNullException">A required argument is null.</exception>
    /// <exception cref="ArgumentException">
    /// The task's loss is not [], shapes or numbers of states don't match, there is nothing to compare, or the teacher's tensors have
    /// a graph.
    /// </exception>
    public static Tensor Loss(
        Tensor task, Tensor student, Tensor teacher, DistillationOptions options, Tensor? mask = null, HiddenStates? hidden = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(options);
        if (task.dim() != 0)
        {
            throw new ArgumentException(
                $"The task's loss must be one number, but is [{string.Join(", ", task.shape)}]: take its mean.", nameof(task));
        }

        using var scope = NewDisposeScope();
        var answers = new TaughtPair(student, teacher, mask, "logits");
        TaughtPair[] states = hidden is null ? [] : Pairs(hidden);
        var type = ScalarType.Float64 == task.dtype || ScalarType.Float64 == student.dtype ? ScalarType.Float64 : ScalarType.Float32;
        Tensor?[] terms =
        [
            Term(1 - options.Weight, () => task.to_type(ScalarType.Float64)),
            Term(options.Weight * options.Temperature * options.Temperature, () => answers.Divergence(options.Temperature)),
            Term(states.Length == 0 ? 0 : options.HiddenWeight, () => Distance(states, options.HiddenDistance)),
        ];
        return stack([.. terms.OfType<Tensor>()]).sum().to_type(type).MoveToOuterDisposeScope();
    }

    // A term of the loss; null if its weight is 0.
    private static Tensor? Term(double weight, Func<Tensor> loss)
    {
        using Scalar factor = weight.ToScalar();
        return weight == 0 ? null : loss().mul(factor);
    }

    private static TaughtPair[] Pairs(HiddenStates hidden) =>
        hidden.Student.Count == hidden.Teacher.Count && hidden.Student.Count > 0
            ? [.. hidden.Student.Zip(hidden.Teacher, (student, teacher) => new TaughtPair(student, teacher, hidden.Mask, "hidden states"))]
            : throw new ArgumentException(
                $"The student has {hidden.Student.Count} hidden states, and the teacher {hidden.Teacher.Count}.", nameof(hidden));

    // D, the mean over the states.
    private static Tensor Distance(TaughtPair[] states, HiddenDistance kind) =>
        stack([.. states.Select(pair => pair.Distance(kind))]).mean();
}
