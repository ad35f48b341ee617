namespace Pdp.Training;

/// <summary>The distance of a student's hidden state s from a teacher's t, over the last dimension.</summary>
public enum HiddenDistance
{
    /// <summary>The mean of (s − t)², as in TinyBERT.</summary>
    MeanSquare,

    /// <summary>1 − s·t / (‖s‖·‖t‖), as in DistilBERT.</summary>
    Cosine,
}
