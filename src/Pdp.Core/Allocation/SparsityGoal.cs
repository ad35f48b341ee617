namespace Pdp.Allocation;

/// <summary>What the options say about how much is removed, and how it is divided among the layers.</summary>
/// <param name="Sparsity">The fraction of all prunable weights; null where strategies, rules or the allocation fix it.</param>
/// <param name="Allocation">How it is divided.</param>
/// <param name="Minimum">The least sparsity of a layer for which no rule says otherwise.</param>
/// <param name="Maximum">The largest.</param>
internal sealed record SparsityGoal(double? Sparsity, ISparsityAllocation Allocation, double Minimum, double Maximum);
