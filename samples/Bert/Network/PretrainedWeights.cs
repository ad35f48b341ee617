using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Network;

/// <summary>Reads weights with Hugging Face's names into a classifier.</summary>
/// <remarks>A file holds an encoder, whose names may begin with <c>bert.</c> or not, or a whole classifier.</remarks>
internal static class PretrainedWeights
{
    private const string Prefix = "bert.";
    private const string Classes = "classes";
    private const string Separator = "\t";

    /// <summary>What files hold besides the encoder: heads of pretraining, and places counted from 0.</summary>
    private static readonly string[] Strangers = ["cls.", "bert.embeddings.position_ids"];

    /// <summary>Reads a safetensors file.</summary>
    /// <returns>Whether the classifier's own last layer was there.</returns>
    /// <exception cref="InvalidDataException">
    /// It is damaged, or belongs to another model, whose names and shapes the message gives; nothing has changed then.
    /// </exception>
    public static bool LoadInto(BertClassifier model, string path, IReadOnlyList<string> classes)
    {
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Load(path)
            .Select(entry => KeyValuePair.Create(NameOf(entry.Key), entry.Value))
            .Where(entry => !Strangers.Any(stranger => entry.Key.StartsWith(stranger, StringComparison.Ordinal)))
            .ToDictionary(StringComparer.Ordinal);
        var isWhole = tensors.Keys.Any(IsLast);
        var expected = model.state_dict().Keys.Where(name => isWhole || !IsLast(name));
        if (expected.Except(tensors.Keys, StringComparer.Ordinal).ToArray() is { Length: > 0 } missing)
        {
            throw new InvalidDataException(
                $"'{path}' is of another BERT: it lacks {Listed(missing)}; it has {Listed([.. tensors.Keys.Order()])}.");
        }

        RequireSame(classes, path, isWhole);
        Safetensors.LoadInto(model, tensors, path, new LoadOptions { AllowMissing = !isWhole, AllowConversion = true });
        return isWhole;
    }

    /// <summary>Writes a classifier's weights, with the names of its classes.</summary>
    public static void Save(BertClassifier model, string path, IReadOnlyList<string> classes)
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(path, model.state_dict(), new Dictionary<string, string> { [Classes] = string.Join(Separator, classes) });
    }

    // Other programs' files don't say what their classes are.
    private static void RequireSame(IReadOnlyList<string> classes, string path, bool isWhole)
    {
        if (isWhole && Safetensors.LoadMetadata(path).TryGetValue(Classes, out var then) && then != string.Join(Separator, classes))
        {
            throw new InvalidDataException(
                $"'{path}' tells the classes {then.Replace(Separator, ", ", StringComparison.Ordinal)}, the data has "
                + $"{string.Join(", ", classes)}.");
        }
    }

    private static string Listed(string[] names) =>
        string.Join(", ", names.Take(4)) + (names.Length > 4 ? $" and {names.Length - 4} more" : "");

    private static bool IsLast(string name) => name.StartsWith("classifier.", StringComparison.Ordinal);

    private static string NameOf(string name)
    {
        // The first BERT files call a norm's weight gamma and its bias beta.
        var today = name.Replace("LayerNorm.gamma", "LayerNorm.weight", StringComparison.Ordinal)
            .Replace("LayerNorm.beta", "LayerNorm.bias", StringComparison.Ordinal);
        return today.StartsWith(Prefix, StringComparison.Ordinal) || IsLast(today) || today.StartsWith("cls.", StringComparison.Ordinal)
            ? today
            : Prefix + today;
    }
}
