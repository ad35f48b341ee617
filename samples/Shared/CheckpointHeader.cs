using System.Globalization;
using System.Text.Json;
using Pdp.Training;

namespace Pdp.Samples;

/// <summary>The text in a checkpoint's header. All of it is checked before it is used.</summary>
internal sealed class CheckpointHeader
{
    private readonly IReadOnlyDictionary<string, string> _texts;
    private readonly string _path;

    private CheckpointHeader(IReadOnlyDictionary<string, string> texts, string path) => (_texts, _path) = (texts, path);

    /// <summary>Reads a file's header.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or is not a safetensors file.</exception>
    public static CheckpointHeader Load(string path) => new(TrainingState.LoadTexts(path), path);

    /// <summary>A text; null if there is none with that name.</summary>
    public string? Find(string name) => _texts.GetValueOrDefault(name);

    /// <summary>A text.</summary>
    /// <exception cref="InvalidDataException">There is none with that name.</exception>
    public string Text(string name) =>
        Find(name) ?? throw new InvalidDataException($"'{_path}' has no '{name}' in its header; it is not a checkpoint of this program.");

    /// <summary>A whole number from 0 to <paramref name="most"/>.</summary>
    /// <exception cref="InvalidDataException">The text is something else.</exception>
    public int Count(string name, int most = int.MaxValue) =>
        int.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
            ? number
            : throw Damaged($"its '{name}' is '{Text(name)}', where a whole number from 0 to {most} is expected");

    /// <summary>A finite number of at least 0.</summary>
    /// <exception cref="InvalidDataException">The text is something else.</exception>
    public double Amount(string name) =>
        double.TryParse(Text(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and < double.PositiveInfinity
            ? number
            : throw Damaged($"its '{name}' is '{Text(name)}', where a number of at least 0 is expected");

    /// <summary>Something that is written as JSON.</summary>
    /// <exception cref="InvalidDataException">The text is something else.</exception>
    public T Json<T>(string name)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Text(name)) ?? throw Damaged($"its '{name}' is null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw Damaged($"its '{name}' can't be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The state of a pruner.</summary>
    /// <exception cref="InvalidDataException">The text is something else.</exception>
    public PrunerState Pruner(string name)
    {
        try
        {
            return PrunerState.FromJson(Text(name));
        }
        catch (ArgumentException e)
        {
            throw Damaged($"its '{name}' can't be read: {OptionValue.Plain(e).TrimEnd('.')}", e);
        }
    }

    /// <summary>Gives a pruner its state, once the weights are loaded.</summary>
    /// <exception cref="InvalidDataException">The pruner doesn't accept it, and is then unchanged.</exception>
    public void Restore(PdpPruner? pruner, PrunerState? state)
    {
        try
        {
            if (state is not null)
            {
                pruner?.Restore(state);
            }
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"The pruner can't continue from '{_path}': {OptionValue.Plain(e)}", e);
        }
    }

    /// <summary>Checks something else.</summary>
    /// <exception cref="InvalidDataException">The condition doesn't hold.</exception>
    public void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw Damaged(otherwise);
        }
    }

    private InvalidDataException Damaged(string what, Exception? cause = null) => new($"'{_path}' is damaged: {what}.", cause);
}
