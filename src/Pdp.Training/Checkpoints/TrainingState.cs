using Pdp.Internal;
using Pdp.Training.Checkpoints;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// What a run has to save in order to continue where it stopped: a model, its optimizer, the average of its weights. All are borrowed.
/// </summary>
/// <remarks>
/// A file is in the safetensors format, with the names <c>model.NAME</c>, <c>optimizer.NAME</c> and <c>average.NAME</c>, texts in its
/// header, those of more than 1,000,000 characters as bytes with the name <c>text.NAME</c>, and a SHA-256 over all of it, which reveals
/// damage anywhere. Other programs read it like any safetensors file.
/// </remarks>
public sealed record TrainingState
{
    private const string ModelPrefix = "model.";
    private const string OptimizerPrefix = "optimizer.";
    private const string AveragePrefix = "average.";

    /// <summary>The model.</summary>
    /// <value>Its parameters and buffers are saved.</value>
    public required nn.Module Model { get; init => field = Guard.NotNull(value); }

    /// <summary>The optimizer.</summary>
    /// <value>By default (null) none.</value>
    public FusedOptimizer? Optimizer { get; init; }

    /// <summary>The average of the weights.</summary>
    /// <value>By default (null) none.</value>
    public WeightAverage? Average { get; init; }

    /// <summary>Writes a temporary file, then renames it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="texts">Other texts to save, such as the epoch and a pruner's state as JSON, by name.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">
    /// A text has the name <c>sha256</c> or is null, or many texts take more than 100,000,000 bytes together, or a tensor has a type that
    /// the format does not support; nothing is written then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A tensor holds NaN or infinity, from which no run can continue (buffers may hold −∞, as causal masks do), or the averages have
    /// replaced the weights; nothing is written then.
    /// </exception>
    /// <exception cref="IOException">The file can't be written; an existing one stays as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The process may not write there, or a folder has that name.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string> texts)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(texts);
        RequireWeights();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        Add(tensors, ModelPrefix, Model.state_dict());
        Add(tensors, OptimizerPrefix, Optimizer?.GetState());
        Add(tensors, AveragePrefix, Average?.GetState());
        CheckpointFile.Save(path, tensors, texts, Masks());
    }

    /// <summary>Reads the texts that <see cref="Save"/> wrote, with the file's <c>sha256</c>, without reading its weights.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The texts by name.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is truncated or contradicts itself. Other damage shows in <see cref="Load"/>, which reads all of it.
    /// </exception>
    public static IReadOnlyDictionary<string, string> LoadTexts(string path)
    {
        var texts = Safetensors.LoadMetadata(path).ToDictionary(StringComparer.Ordinal);
        foreach (var (name, text) in LongTexts.Read(path))
        {
            if (!texts.TryAdd(name, text))
            {
                throw new InvalidDataException($"'{path}' is damaged: it holds the text '{name}' twice.");
            }
        }

        return texts;
    }

    /// <summary>Restores what <see cref="Save"/> wrote. All of the file is checked before anything changes.</summary>
    /// <remarks>
    /// The optimizer's groups get the learning rates of the file, too, with the initial ones: to go on with others, set both afterwards.
    /// </remarks>
    /// <param name="path">The file. Its texts are read by <see cref="LoadTexts"/>; check them first.</param>
    /// <param name="then">
    /// An action that needs the loaded weights, such as restoring a pruner; by default (null) none. If it throws, the weights are put back.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, does not fit, or holds NaN or infinity in the weights; nothing has changed then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The averages have replaced the weights, the model is packed, or one of its tensors is an expanded view; nothing has changed then.
    /// </exception>
    public void Load(string path, Action? then = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        RequireWeights();
        using var scope = NewDisposeScope();
        var file = CheckpointFile.Load(path, Masks(), ModelPrefix, OptimizerPrefix, AveragePrefix);
        var (weights, optimizer, average) = (file.Part(ModelPrefix), file.Part(OptimizerPrefix), file.Part(AveragePrefix));
        Safetensors.RequireFit(Model, weights, path);
        file.RequireFit(optimizer, "an optimizer", Optimizer is null ? null : Optimizer.CheckState);
        file.RequireFit(average, "an average of weights", Average is null ? null : Average.CheckState);
        Safetensors.LoadInto(Model, weights, path, then ?? (() => { }));
        Optimizer?.SetState(optimizer);
        Average?.SetState(average);
    }

    // Buffers may be masks, in the model and in its average.
    private HashSet<string> Masks() =>
        [.. Model.named_buffers().SelectMany(entry => new[] { ModelPrefix + entry.name, AveragePrefix + entry.name })];

    // The weights that the averages stand in for would be lost.
    private void RequireWeights()
    {
        if (Average is { IsSwapped: true })
        {
            throw new InvalidOperationException(
                "The averages have replaced the weights: call Swap() first, to swap them back. Nothing is saved or loaded.");
        }
    }

    private static void Add(Dictionary<string, Tensor> tensors, string prefix, IEnumerable<KeyValuePair<string, Tensor>>? state)
    {
        foreach (var (name, tensor) in state ?? [])
        {
            tensors.Add(prefix + name, tensor);
        }
    }
}
