using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Training.Checkpoints;

/// <summary>The tensors of a checkpoint, taken apart by their prefixes. They are in the caller's dispose scope.</summary>
internal sealed class CheckpointFile
{
    private readonly string _path;
    private readonly Dictionary<string, Tensor> _tensors;

    private CheckpointFile(string path, Dictionary<string, Tensor> tensors) => (_path, _tensors) = (path, tensors);

    /// <summary>Writes a checkpoint that can be read again.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="texts">The texts by name.</param>
    /// <param name="masks">The names of tensors that may hold −∞, as a causal mask does.</param>
    /// <exception cref="ArgumentException">A text or a tensor is not what the format supports; nothing is written then.</exception>
    /// <exception cref="InvalidOperationException">A tensor is not finite; nothing is written then.</exception>
    public static void Save(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> texts, IReadOnlySet<string> masks)
    {
        SafetensorsFile.Require(tensors);
        foreach (var (name, tensor) in tensors)
        {
            if (!IsUsable(tensor, masks.Contains(name)))
            {
                throw new InvalidOperationException(
                    $"'{name}' holds NaN or infinity, from which no run can continue: nothing is saved. "
                    + "Continue from the last checkpoint with clipped gradients, or with lower learning rates, set after it is loaded.");
            }
        }

        using var scope = NewDisposeScope();
        var all = new Dictionary<string, Tensor>(tensors, StringComparer.Ordinal);
        foreach (var (name, text) in texts.Where(LongTexts.Is))
        {
            all.Add(LongTexts.Prefix + name, LongTexts.ToTensor(name, text));
        }

        SafetensorsFile.SaveSealed(path, all, texts.Where(text => !LongTexts.Is(text)).ToDictionary());
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="masks">The names of tensors that may hold −∞.</param>
    /// <param name="prefixes">What names start with.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor has another prefix or is not finite.</exception>
    public static CheckpointFile Load(string path, IReadOnlySet<string> masks, params string[] prefixes)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no checkpoint '{path}'.", path);
        }

        if (Seal.Fault(path) is { } fault)
        {
            throw new InvalidDataException($"'{path}' {fault}.");
        }

        var file = new CheckpointFile(path, SafetensorsFile.Load(path));
        foreach (var (name, tensor) in file._tensors)
        {
            file.Require(IsKnown(name), $"has a tensor '{name}'");
            file.Require(IsUsable(tensor, masks.Contains(name)), $"is damaged: '{name}' holds NaN or infinity");
        }

        return file;

        bool IsKnown(string name) =>
            Array.Exists([LongTexts.Prefix, .. prefixes], prefix => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <summary>The tensors of a prefix, by the rest of their names.</summary>
    public Dictionary<string, Tensor> Part(string prefix) =>
        _tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal);

    /// <summary>Checks that a part fits what it is for.</summary>
    /// <param name="part">The part.</param>
    /// <param name="what">What it is the state of.</param>
    /// <param name="check">Throws if it does not fit; null if there is nothing that it could be for.</param>
    /// <exception cref="InvalidDataException">It does not fit, or there is nothing that it could be for.</exception>
    public void RequireFit(IReadOnlyDictionary<string, Tensor> part, string what, Action<IReadOnlyDictionary<string, Tensor>>? check)
    {
        Require(check is not null || part.Count == 0, $"holds the state of {what}, but none is given");
        try
        {
            check?.Invoke(part);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{_path}' does not fit: {e.Message}", e);
        }
    }

    private static bool IsUsable(Tensor tensor, bool isMask)
    {
        using var scope = NewDisposeScope();
        return !tensor.is_floating_point()
            || (isMask ? tensor.isfinite().logical_or(tensor.isneginf()) : tensor.isfinite()).all().cpu().bytes[0] != 0;
    }

    private void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidDataException($"'{_path}' {otherwise}.");
        }
    }
}
