using Pdp.Training.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>The loss of a student that learns from a teacher's answers as well as from labels.</summary>
/// <remarks>
/// L = (1 − α)·L_task + α·T²·KL(p ‖ q) + β·D, with the teacher's softened answers p = softmax(z_t/T), the student's q = softmax(z_s/T), and
/// D the distance of hidden states: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2. T² keeps
/// the gradients of the soft targets as large as those of the task. Each term is a mean over the positions that count; what doesn't count
/// has no influence, even if it is NaN. Softmax and logarithm are taken together, in float32 at least, so that large logits do no harm.
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
    /// <returns>The loss, [], which the caller owns.</returns>
    /// <exception cref="ArgumentNullException">A required argument is null.</exception>
    /// <exception cref="ArgumentException">Shapes or numbers of states don't go together, or what the teacher gave has a graph.</exception>
    public static Tensor Loss(
        Tensor task, Tensor student, Tensor teacher, DistillationOptions options, Tensor? mask = null, HiddenStates? hidden = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(options);
        if (task.numel() != 1)
        {
            throw new ArgumentException($"The task's loss must be one number, but is [{string.Join(", ", task.shape)}].", nameof(task));
        }

        using var scope = NewDisposeScope();
        using Scalar ofTask = (1 - options.Weight).ToScalar(), one = 1.ToScalar(), ofStates = options.HiddenWeight.ToScalar();
        using Scalar ofTargets = (options.Weight * options.Temperature * options.Temperature).ToScalar();
        var targets = new TaughtPair(student, teacher, mask, "logits").Divergence(options.Temperature);
        var loss = task.mul(ofTask).add(targets.mul(ofTargets), one);
        return (hidden is null ? loss : loss.add(Distance(hidden, options.HiddenDistance).mul(ofStates), one)).MoveToOuterDisposeScope();
    }

    // D, the mean over the states.
    private static Tensor Distance(HiddenStates hidden, HiddenDistance kind)
    {
        if (hidden.Student.Count != hidden.Teacher.Count || hidden.Student.Count == 0)
        {
            throw new ArgumentException(
                $"The student has {hidden.Student.Count} hidden states, and the teacher {hidden.Teacher.Count}.", nameof(hidden));
        }

        var distances = hidden.Student.Zip(hidden.Teacher, (student, teacher) =>
            new TaughtPair(student, teacher, hidden.Mask, "hidden states").Distance(kind));
        return stack([.. distances]).mean();
    }
}
