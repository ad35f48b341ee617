namespace Pdp.Channels.Shrinking;

/// <summary>Checks a shrink record, independently of its model.</summary>
/// <remarks>The record's numbers are checked against its shapes before they are used; its shapes are checked against the model's.</remarks>
internal static class RecordChecks
{
    /// <exception cref="ArgumentException">The record is damaged.</exception>
    public static void Require(ShrinkRecord record)
    {
        if (record is not { Groups: { } groups, Shapes: { } shapes })
            throw Damaged("it lacks its groups or its shapes");
        foreach (var (name, shape) in shapes)
        {
            if (shape is null || shape.Any(size => size < 0))
                throw Damaged($"the shape of '{name}' is missing or has a negative size");
        }

        foreach (var shrunk in groups)
            Require(shrunk, shapes);
        var cut = groups.SelectMany(shrunk => shrunk.Group.Slices).Select(slice => slice.Name).ToHashSet(StringComparer.Ordinal);
        if (shapes.Keys.FirstOrDefault(name => !cut.Contains(name)) is { } lost)
            throw Damaged($"it has the shape of '{lost}' but no slice of it");
        RequireApart(groups, shapes);
    }

    public static ArgumentException Damaged(string how) => new($"The shrink record is damaged: {how}.");

    private static void Require(ShrunkGroup? shrunk, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (shrunk is not { Kept: { } kept, Group: { Name: not null, Slices: { } slices } group }
            || slices.Any(slice => slice is not { Name: not null } || !Enum.IsDefined(slice.Role)))
            throw Damaged("a group lacks its name, its slices or its kept channels");
        if (kept.Count == 0 || kept.Zip(kept.Skip(1)).Any(pair => pair.First >= pair.Second) || kept[0] < 0 || kept[^1] >= group.Channels)
            throw Damaged($"the kept channels of '{group.Name}' must be distinct, in ascending order and in [0, {group.Channels})");
        if (!slices.Any(slice => shapes.ContainsKey(slice.Name)))
            throw Damaged($"'{group.Name}' has no slice whose shape is recorded");
        var known = slices.Where(slice => shapes.ContainsKey(slice.Name));
        if (known.FirstOrDefault(slice => !slice.IsInside(shapes[slice.Name], group.Channels)) is { } outside)
            throw Damaged($"the channels of '{group.Name}' reach beyond '{outside.Name}'");
    }

    /// <summary>Checks that no index belongs to two groups, or to two channels of one.</summary>
    private static void RequireApart(IReadOnlyList<ShrunkGroup> groups, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        var cuts = groups
            .SelectMany((shrunk, i) => shrunk.Group.Slices.Where(slice => shapes.ContainsKey(slice.Name))
                .Select(slice => (Group: i, Slice: slice, End: slice.Offset + (slice.Block * shrunk.Group.Channels))))
            .GroupBy(cut => (cut.Slice.Name, cut.Slice.Dimension));
        foreach (var cut in cuts)
        {
            // A group may name a slice twice, in two roles.
            var ordered = cut.DistinctBy(one => (one.Group, one.Slice.Offset, one.Slice.Block)).OrderBy(one => one.Slice.Offset).ToArray();
            foreach (var (before, after) in ordered.Zip(ordered.Skip(1)))
            {
                if (after.Slice.Offset < before.End)
                    throw Damaged($"two groups, or two channels of one, share indices of '{after.Slice.Name}'");
            }
        }
    }
}
