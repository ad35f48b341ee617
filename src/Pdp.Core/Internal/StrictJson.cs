using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Pdp.Internal;

/// <summary>How files that are read back are written, and read: by code made at compile time, as trimmed programs have no reflection for it.</summary>
internal static class StrictJson
{
    /// <summary>Refuses members that are unknown, missing, null or there twice, and numbers that are none.</summary>
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
    /// <param name="json">Its text; a byte order mark, with which some editors and tools begin a file, is skipped.</param>
    /// <param name="type">What it has to be.</param>
    /// <param name="what">What it is called, as in <c>The plan</c>.</param>
    /// <exception cref="ArgumentException">It is something else; the message says where.</exception>
    public static T Read<T>(string json, JsonTypeInfo<T> type, string what)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonSerializer.Deserialize(json.StartsWith('\uFEFF') ? json[1..] : json, type) ?? throw new JsonException("it is the JSON null");
        }
        catch (JsonException fault)
        {
            throw new ArgumentException($"{what} is damaged, or something else: {fault.Message}", nameof(json), fault);
        }
    }

    /// <summary>Checks that the layers of a plan or a report are sound, and no more than the model.</summary>
    /// <exception cref="ArgumentException">A layer has a fault, or there are more weights than parameters.</exception>
    public static void Require(string what, IEnumerable<(string Name, string? Fault)> layers, long weights, long parameters)
    {
        if (layers.FirstOrDefault(layer => layer.Fault is not null) is { Name: not null } layer)
            throw new ArgumentException($"{what} is damaged: of '{layer.Name}', {layer.Fault}.");
        if (weights < 1 || weights > parameters)
            throw new ArgumentException($"{what} is damaged: it has {weights} prunable weights of {parameters} parameters.");
    }
}
