using System.Text.Json;
using Pdp.Channels.Shrinking;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

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
    public string ToJson() => JsonSerializer.Serialize(this, ShrinkJson.Readable.ShrinkRecord);

    /// <summary>Reads a record.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">It is not the JSON of a record, of a version that this library doesn't know, or damaged.</exception>
    public static ShrinkRecord FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var record = Read(json) ?? throw new ArgumentException("The shrink record is the JSON null.", nameof(json));
        if (record.Version != CurrentVersion)
            throw new ArgumentException($"The shrink record has version {record.Version}; this library reads version {CurrentVersion}.", nameof(json));

        RecordChecks.Require(record);
        return record;
    }

    /// <summary>Makes a model of the original class as small as the one that was shrunk; its weights are then to be loaded.</summary>
    /// <param name="model">The model, as its class makes it.</param>
    /// <exception cref="ArgumentException">The record is of another model, the model has been shrunk already, or the record is damaged; nothing has changed then.</exception>
    public void Apply(Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        RecordChecks.Require(this);
        var tensors = Surgery.TensorsOf(model);
        foreach (var slice in Groups.SelectMany(shrunk => shrunk.Group.Slices).Where(slice => !Shapes.ContainsKey(slice.Name) && tensors.ContainsKey(slice.Name)))
            throw RecordChecks.Damaged($"it lacks the shape of '{slice.Name}'");
        foreach (var (name, shape) in Shapes)
        {
            if (!tensors.TryGetValue(name, out var tensor))
                throw new ArgumentException($"The shrink record is of another model: there is no '{name}' in this one.");
            if (!tensor.shape.SequenceEqual(shape))
                throw new ArgumentException($"'{name}' has the shape {Words(tensor.shape)}, not {Words(shape)}: the shrink record is of another model, or this one has been shrunk already. Apply it to a new model, before loading weights.");
        }

        using var _ = Surgery.Keep(model, Kept);
    }

    /// <summary>Cuts a tensor that goes with a parameter as the parameter was cut: an optimizer's momentum, or an average of the weights.</summary>
    /// <param name="tensor">The tensor, of the shape that the parameter had before; it stays as it is.</param>
    /// <param name="name">The name of a parameter or buffer that was cut: one of <see cref="Shapes"/>. What goes with others stays as it is.</param>
    /// <returns>A copy of what is left, of the shape that the parameter has now; the caller's.</returns>
    /// <exception cref="ArgumentException">Nothing of that name was cut, the tensor has another shape, or the record is damaged.</exception>
    public Tensor Slice(Tensor tensor, string name)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(name);
        RecordChecks.Require(this);
        if (!Shapes.TryGetValue(name, out var shape))
            throw new ArgumentException($"Nothing was cut from a '{name}', so that there is nothing to slice. Cut were {string.Join(", ", Shapes.Keys)}.", nameof(name));
        if (!tensor.shape.SequenceEqual(shape))
            throw new ArgumentException($"The tensor has the shape {Words(tensor.shape)}, and '{name}' had {Words(shape)} before it was cut: slice what was made for the whole parameter.", nameof(tensor));

        return new KeptIndices(Kept).Select(name, tensor);
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

    private IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> Kept => Groups.Select(shrunk => (shrunk.Group, shrunk.Kept));

    private static ShrinkRecord? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ShrinkJson.Readable.ShrinkRecord);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            throw new ArgumentException($"Not a shrink record: {fault.Message}", nameof(json), fault);
        }
    }

    private static string Words(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
