using System.Text.Json;
using Pdp.Reporting;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Shrinking;

/// <summary>Which channels a shrunk model has kept: save it beside the weights, and replay it onto a new model of the same class before loading them.</summary>
public sealed record ShrinkRecord
{
    /// <summary>The format's version that this library writes.</summary>
    internal const int CurrentVersion = 1;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>The groups that have lost channels.</summary>
    public required IReadOnlyList<ShrunkGroup> Groups { get; init; }

    /// <summary>The shapes that the cut parameters and buffers had before, by name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; init; }

    /// <summary>The record as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Readable.ShrinkRecord);

    /// <summary>Reads a record.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is not the JSON of a record, or of a version that this library doesn't know.</exception>
    public static ShrinkRecord FromJson(string json)
    {
        try
        {
            var record = JsonSerializer.Deserialize(json, ReportJson.Readable.ShrinkRecord)
                ?? throw new ArgumentException("The shrink record is the JSON null.", nameof(json));
            return record.Version == CurrentVersion
                ? record
                : throw new ArgumentException($"The shrink record has version {record.Version}; this library reads version {CurrentVersion}.", nameof(json));
        }
        catch (JsonException fault)
        {
            throw new ArgumentException($"Not a shrink record: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>Makes a model of the original class as small as the one that was shrunk; its weights are then to be loaded.</summary>
    /// <param name="model">The model, as its class makes it.</param>
    /// <exception cref="ArgumentException">The record is of another model, the model has been shrunk already, or the record is damaged; nothing has changed then.</exception>
    public void Apply(Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tensors = Surgery.TensorsOf(model);
        foreach (var slice in Groups.SelectMany(shrunk => shrunk.Group.Slices).Where(slice => !Shapes.ContainsKey(slice.Name) && tensors.ContainsKey(slice.Name)))
            throw new ArgumentException($"The shrink record is damaged: it lacks the shape of '{slice.Name}'.");
        foreach (var (name, shape) in Shapes)
        {
            if (!tensors.TryGetValue(name, out var tensor))
                throw new ArgumentException($"The shrink record is of another model: there is no '{name}' in this one.");
            if (!tensor.shape.SequenceEqual(shape))
                throw new ArgumentException($"'{name}' has the shape [{string.Join(", ", tensor.shape)}], not [{string.Join(", ", shape)}]: the shrink record is of another model, or this one has been shrunk already. Apply it to a new model, before loading weights.");
        }

        foreach (var shrunk in Groups)
            RequireSound(shrunk);
        using var _ = Surgery.Keep(model, Groups.Select(shrunk => (shrunk.Group, shrunk.Kept)));
    }

    /// <summary>The record of what will be cut from a model.</summary>
    internal static ShrinkRecord Of(Module model, IReadOnlyList<ShrunkGroup> groups)
    {
        var tensors = Surgery.TensorsOf(model);
        var names = groups.SelectMany(shrunk => shrunk.Group.Slices).Select(slice => slice.Name).Where(tensors.ContainsKey).Distinct(StringComparer.Ordinal);
        return new()
        {
            Version = CurrentVersion,
            Groups = groups,
            Shapes = new SortedDictionary<string, IReadOnlyList<long>>(names.ToDictionary(name => name, name => (IReadOnlyList<long>)tensors[name].shape), StringComparer.Ordinal),
        };
    }

    private void RequireSound(ShrunkGroup shrunk)
    {
        var (group, kept) = shrunk;
        if (kept.Count == 0 || kept.Zip(kept.Skip(1)).Any(pair => pair.First >= pair.Second) || kept[0] < 0 || kept[^1] >= group.Channels)
            throw new ArgumentException($"The shrink record is damaged: the kept channels of '{group.Name}' are not some of 0 to {group.Channels - 1} in order.");
        if (group.Slices.FirstOrDefault(slice => Shapes.TryGetValue(slice.Name, out var shape) && !IsInside(slice, group.Channels, shape)) is { } outside)
            throw new ArgumentException($"The shrink record is damaged: the channels of '{group.Name}' reach beyond '{outside.Name}'.");
    }

    private static bool IsInside(ChannelSlice slice, long channels, IReadOnlyList<long> shape) =>
        slice.Dimension >= 0 && slice.Dimension < shape.Count && slice.Offset >= 0 && slice.Block >= 1 && slice.Offset + (slice.Block * channels) <= shape[slice.Dimension];
}
