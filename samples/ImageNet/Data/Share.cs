namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// The batches of an epoch that a rank reads: it takes turns with the others, so that each round of batches has the same pictures for any
/// number of ranks whose batches add up to the same size.
/// </summary>
internal readonly record struct Share(int Rank, int Ranks)
{
    /// <summary>All batches.</summary>
    public static Share Whole => new(0, 1);

    /// <summary>The batches of this rank, of complete rounds.</summary>
    public int CompleteOf(int batches) => batches / Ranks;

    /// <summary>The batches of this rank, of all.</summary>
    public int Of(int batches) => (batches - Rank + Ranks - 1) / Ranks;

    /// <summary>Which of all batches a batch of this rank is.</summary>
    public int IndexOf(int own) => (own * Ranks) + Rank;
}
