namespace Pdp.Samples.Gpt.Network;

/// <summary>The files of a pretrained GPT-2, as Hugging Face has them.</summary>
internal sealed class GptFolder
{
    private const string Config = "config.json";
    private const string Tensors = "model.safetensors";

    private readonly string _path;

    /// <exception cref="ArgumentException">It lacks a file.</exception>
    public GptFolder(string path)
    {
        _path = path;
        string[] files = [Config, Tensors];
        if (files.Where(file => !File.Exists(Path.Combine(path, file))).ToArray() is { Length: > 0 } missing)
        {
            throw new ArgumentException($"'{path}' lacks {string.Join(", ", missing)}; --help says where to get them.");
        }
    }

    /// <summary>The file of the weights.</summary>
    public string WeightsFile => Path.Combine(_path, Tensors);

    /// <summary>Reads the sizes.</summary>
    /// <param name="tokens">The tokens of the texts' vocabulary.</param>
    /// <param name="length">The tokens of a window.</param>
    /// <exception cref="ArgumentException">The length is beyond the model's positions.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or has fewer tokens than the vocabulary.</exception>
    public GptConfig Load(int tokens, int length)
    {
        var config = GptConfig.Load(Path.Combine(_path, Config));
        return tokens > config.VocabSize
            ? throw new InvalidDataException(
                $"'{_path}': the texts have {tokens} kinds of tokens, but {Config} a vocab_size of {config.VocabSize}.")
            : length > config.NPositions
            ? throw new ArgumentException($"--length {length} is beyond the model's {config.NPositions} positions.")
            : config;
    }
}
