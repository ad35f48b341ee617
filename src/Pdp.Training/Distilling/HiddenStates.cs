using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>Hidden states of a student, and those of a teacher that they should approach. Tensors are borrowed.</summary>
/// <param name="Student">The student's, [..., features]; where widths differ, projected to the teacher's.</param>
/// <param name="Teacher">The teacher's, one for each of the student's and in the same shape, without a graph.</param>
public sealed record HiddenStates(IReadOnlyList<Tensor> Student, IReadOnlyList<Tensor> Teacher)
{
    /// <summary>Which positions count: true or not 0, such as the attention mask of padded sentences.</summary>
    /// <value>[...], without the features; by default (null) all count.</value>
    public Tensor? Mask { get; init; }
}
