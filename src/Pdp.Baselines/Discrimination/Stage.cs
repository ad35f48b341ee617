namespace Pdp.Baselines.Discrimination;

/// <summary>A stage: the layers that come before a loss and after the one before it.</summary>
/// <param name="Loss">The module of the additional loss; null for the final loss.</param>
/// <param name="Groups">The groups whose channels are chosen in the stage, in the order in which they are read.</param>
internal sealed record Stage(string? Loss, IReadOnlyList<ChannelGroup> Groups)
{
    /// <summary>The stages of a network: a group belongs to the first loss that comes after everything that reads its channels.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="losses">The modules of the additional losses.</param>
    /// <param name="calls">The modules in the order in which they were called; a name occurs as often as it was.</param>
    /// <exception cref="InvalidOperationException">A module was not called, or one with a loss more than once.</exception>
    public static IReadOnlyList<Stage> Of(IReadOnlyList<ChannelGroup> groups, IReadOnlyList<string> losses, IReadOnlyList<string> calls)
    {
        var last = calls.Index().GroupBy(call => call.Item, call => call.Index).ToDictionary(call => call.Key, call => call.Last());
        foreach (var loss in losses.Where(loss => calls.Count(call => call == loss) > 1))
            throw new InvalidOperationException($"'{loss}' is called several times in a pass: choose a module that is called once.");

        var places = groups.Select(group => (Group: group, Place: Readers(group).Max(PlaceOf))).OrderBy(pair => pair.Place).ToArray();
        var ends = losses.Select(loss => (Loss: (string?)loss, End: PlaceOf(loss))).OrderBy(pair => pair.End)
            .Append((Loss: null, End: int.MaxValue));
        var stages = new List<Stage>();
        var begin = -1;
        foreach (var (loss, end) in ends)
        {
            stages.Add(new(loss, [.. places.Where(pair => pair.Place > begin && pair.Place <= end).Select(pair => pair.Group)]));
            begin = end;
        }

        return stages;

        int PlaceOf(string module) => last.TryGetValue(module, out var place)
            ? place
            : throw new InvalidOperationException(
                $"The module '{module}' was not called, so its output can't be used: in the model's forward, write {module}.call(x) "
                + $"instead of {module}.forward(x).");
    }

    /// <summary>The modules that read the channels of a group.</summary>
    private static IEnumerable<string> Readers(ChannelGroup group) =>
        group.Of(ChannelRole.Input).Select(slice => ChannelReaders.ModuleOf(slice.Name));
}
