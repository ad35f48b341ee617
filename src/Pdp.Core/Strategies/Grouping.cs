namespace Pdp;

/// <summary>How the weights of a layer compete: in groups of as many members, each of which stands for one weight or for several.</summary>
/// <param name="Groups">The number of groups, at least 1.</param>
/// <param name="Members">The members of each group, at least 1.</param>
public readonly record struct Grouping(long Groups, long Members);
