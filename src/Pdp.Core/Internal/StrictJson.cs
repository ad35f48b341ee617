using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Pdp.Internal;

/// <summary>Writes and reads JSON files with code generated at compile time, so that it works in trimmed programs.</summary>
internal static class StrictJson
{
    /// <summary>Rejects members that are unknown, missing, null or duplicate, and numbers that are not valid.</summary>
    public static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        Converters = { new WholeNumberJson<int>(), new WholeNumberJson<long>() },
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Reads a file.</summary>
    /// <param name="json">The text of the file; a byte order mark, which some editors and tools write, is skipped.</param>
    /// <param name="type">The type that it describes.</param>
    /// <param name="what">Its name in messages, such as <c>The plan</c>.</param>
    /// <exception cref="ArgumentException">It is damaged or something else; the message says where.</exception>
    public static T Read<T>(string json, JsonTypeInfo<T> type, string what)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonSerializer.Deserialize(WithoutMark(json), type)
                ?? throw new JsonException("it is the JSON null");
        }
        catch (JsonException fault)
        {
            throw new ArgumentException($"{what} is damaged or something else: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>A text without the byte order mark that some editors and tools write at the beginning of a file.</summary>
    public static string WithoutMark(string json) => json.StartsWith('\uFEFF') ? json[1..] : json;

    /// <summary>Checks that the layers of a plan or a report are consistent with themselves and the model.</summary>
    /// <exception cref="ArgumentException">A layer has a fault, or there are more weights than parameters.</exception>
    public static void Require(string what, IEnumerable<(string Name, string? Fault)> layers, long weights, long parameters)
    {
        if (layers.FirstOrDefault(layer => layer.Fault is not null) is { Name: not null } layer)
            throw new ArgumentException($"{what} is damaged: layer '{layer.Name}': {layer.Fault}.");
        if (weights < 1 || weights > parameters)
            throw new ArgumentException($"{what} is damaged: it has {weights} prunable weights of {parameters} parameters.");
    }
}
