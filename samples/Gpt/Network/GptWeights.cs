using Pdp.Samples.Gpt.Text;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Gpt.Network;

/// <summary>Reads and writes weights with Hugging Face's names and layout: GPT-2's matrices are <c>[in, out]</c> there.</summary>
internal static class GptWeights
{
    private const string Prefix = "transformer.";
    private const string Output = "lm_head.weight";
    private const string Embedding = "transformer.wte.weight";

    /// <summary>The entry of a file's texts that says what its tokens are.</summary>
    private const string Tokens = "tokens";

    private static readonly string[] Turned = ["c_attn.weight", "c_proj.weight", "c_fc.weight"];

    /// <summary>What files hold besides weights: the causal mask.</summary>
    private static readonly string[] Strangers = [".attn.bias", ".attn.masked_bias"];

    /// <summary>Reads a safetensors file; names may begin with <c>transformer.</c> or not.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="vocabulary">What the texts are cut into; null if that doesn't matter.</param>
    /// <exception cref="InvalidDataException">
    /// It is damaged, was trained on other tokens, or belongs to another model, whose names and shapes the message gives; nothing has
    /// changed then.
    /// </exception>
    public static void LoadInto(GptModel model, string path, IVocabulary? vocabulary = null)
    {
        var then = Safetensors.LoadMetadata(path).GetValueOrDefault(Tokens);
        if (then is not null && vocabulary is not null && then != vocabulary.Description)
        {
            throw new InvalidDataException($"'{path}' was trained on other tokens: {then}, not {vocabulary.Description}.");
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var tensors = Safetensors.Load(path)
            .Where(entry => !Strangers.Any(stranger => entry.Key.EndsWith(stranger, StringComparison.Ordinal)))
            .ToDictionary(entry => NameOf(entry.Key), entry => Turn(entry.Key, entry.Value), StringComparer.Ordinal);
        RequireTied(tensors, path);
        var missing = model.state_dict().Keys.Except(tensors.Keys, StringComparer.Ordinal).ToArray();
        if (missing.Length > 0)
        {
            throw new InvalidDataException(
                $"'{path}' is of another GPT: it lacks {Listed(missing)}; it has {Listed([.. tensors.Keys.Order()])}.");
        }

        Safetensors.LoadInto(model, tensors, path, new LoadOptions { AllowConversion = true });
    }

    /// <summary>Writes a safetensors file.</summary>
    public static void Save(GptModel model, string path, IVocabulary vocabulary)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var tensors = model.state_dict().ToDictionary(entry => entry.Key, entry => Turn(entry.Key, entry.Value), StringComparer.Ordinal);
        Safetensors.Save(path, tensors, new Dictionary<string, string> { [Tokens] = vocabulary.Description });
    }

    private static Tensor Turn(string name, Tensor weight) =>
        Turned.Any(end => name.EndsWith(end, StringComparison.Ordinal)) && weight.dim() == 2 ? weight.t().contiguous() : weight;

    private static string NameOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) || name == Output ? name : Prefix + name;

    // Some files have the output layer under a name of its own.
    private static void RequireTied(Dictionary<string, Tensor> tensors, string path)
    {
        if (tensors.Remove(Output, out var output) && (!tensors.TryGetValue(Embedding, out var tokens) || !AreSame(output, tokens)))
        {
            throw new InvalidDataException(
                $"'{path}' has an output layer of its own ({Output}); only one that is the embedding ({Embedding}) is supported.");
        }
    }

    private static bool AreSame(Tensor one, Tensor other) =>
        one.shape.SequenceEqual(other.shape) && one.dtype == other.dtype && one.eq(other).all().ReadCpuBool(0);

    private static string Listed(string[] names) =>
        string.Join(", ", names.Take(4)) + (names.Length > 4 ? $" and {names.Length - 4} more" : "");
}
