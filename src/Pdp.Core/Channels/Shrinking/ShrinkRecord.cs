using System.Text.Json;
using Pdp.Channels.Cutting;
using Pdp.Channels.Shrinking;
using Pdp.Internal;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>
/// Which channels a shrunk model has kept. Save it with the weights, and apply it to a new model of the same class before loading them.
/// </summary>
public sealed record ShrinkRecord
{
    /// <summary>The version of the format that this library writes.</summary>
    internal const int CurrentVersion = 1;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>The groups that channels were removed from.</summary>
    public required IReadOnlyList<ShrunkGroup> Groups { get; init; }

    /// <summary>The original shapes of the parameters and buffers that were cut, by name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; init; }

    /// <summary>The record as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ShrinkJson.Readable.ShrinkRecord);

    /// <summary>Reads a record.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="ArgumentException">
    /// It is not the JSON of a record, has a version that this library doesn't support, or is damaged.
    /// </exception>
    public static ShrinkRecord FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var record = Read(json) ?? throw new ArgumentException("The shrink record is the JSON null.", nameof(json));
        if (record.Version != CurrentVersion)
        {
            throw new ArgumentException(
                $"The shrink record has version {record.Version}; this library reads version {CurrentVersion}.", nameof(json));
        }

        RecordChecks.Require(record);
        return record;
    }

    /// <summary>Shrinks a new model of the original class to the recorded size, so that the shrunk weights can be loaded.</summary>
    /// <param name="model">The model, newly constructed.</param>
    /// <exception cref="ArgumentException">
    /// The record belongs to another model, the model has been shrunk already, or the record is damaged; nothing has changed then.
    /// </exception>
    public void Apply(Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        RecordChecks.Require(this);
        var tensors = Surgery.TensorsOf(model);
        var names = Groups.SelectMany(shrunk => shrunk.Group.Slices).Select(slice => slice.Name);
        if (names.FirstOrDefault(name => !Shapes.ContainsKey(name) && tensors.ContainsKey(name)) is { } missing)
            throw RecordChecks.Damaged($"it lacks the shape of '{missing}'");
        foreach (var (name, shape) in Shapes)
        {
            if (!tensors.TryGetValue(name, out var tensor))
                throw new ArgumentException($"The shrink record belongs to another model: this one has no '{name}'.");
            if (!tensor.shape.SequenceEqual(shape))
            {
                throw new ArgumentException(
                    $"'{name}' has the shape {Text(tensor.shape)}, not {Text(shape)}: the shrink record belongs to another model, "
                    + "or this one has been shrunk already. Apply the record to a new model, before loading weights.");
            }
        }

        using var _ = Surgery.Keep(model, Kept);
    }

    /// <summary>
    /// Cuts a tensor that accompanies a parameter, such as an optimizer's momentum or an average of the weights, in the same way.
    /// </summary>
    /// <param name="tensor">The tensor, in the original shape of the parameter; it is not changed.</param>
    /// <param name="name">
    /// The name of a parameter or buffer that was cut, from <see cref="Shapes"/>. Tensors of other parameters need no cut.
    /// </param>
    /// <returns>A copy of the kept part, in the current shape of the parameter. The caller owns it.</returns>
    /// <exception cref="ArgumentException">
    /// Nothing with that name was cut, the tensor has another shape, or the record is damaged.
    /// </exception>
    public Tensor Slice(Tensor tensor, string name)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(name);
        RecordChecks.Require(this);
        if (!Shapes.TryGetValue(name, out var shape))
        {
            throw new ArgumentException(
                $"'{name}' was not cut, so there is nothing to slice. The record cut {string.Join(", ", Shapes.Keys)}.", nameof(name));
        }

        if (!tensor.shape.SequenceEqual(shape))
        {
            throw new ArgumentException(
                $"The tensor has the shape {Text(tensor.shape)}, but '{name}' had {Text(shape)} before it was cut: "
                + "pass a tensor that was made for the original parameter.",
                nameof(tensor));
        }

        return new KeptIndices(Kept).Select(name, tensor);
    }

    /// <summary>The record of a cut that is about to be made.</summary>
    internal static ShrinkRecord Of(Module model, IReadOnlyList<ShrunkGroup> groups)
    {
        var tensors = Surgery.TensorsOf(model);
        var names = groups.SelectMany(shrunk => shrunk.Group.Slices)
            .Select(slice => slice.Name).Where(tensors.ContainsKey).Distinct(StringComparer.Ordinal);
        var shapes = names.ToDictionary(name => name, name => (IReadOnlyList<long>)tensors[name].shape);
        return new()
        {
            Version = CurrentVersion,
            Groups = groups,
            Shapes = new SortedDictionary<string, IReadOnlyList<long>>(shapes, StringComparer.Ordinal),
        };
    }

    private IEnumerable<(ChannelGroup Group, IReadOnlyList<long> Channels)> Kept => Groups.Select(shrunk => (shrunk.Group, shrunk.Kept));

    private static ShrinkRecord? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(StrictJson.WithoutMark(json), ShrinkJson.Readable.ShrinkRecord);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            throw new ArgumentException($"Not a shrink record: {fault.Message}", nameof(json), fault);
        }
    }

    private static string Text(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
