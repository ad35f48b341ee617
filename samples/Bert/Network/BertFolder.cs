using Pdp.Samples.Bert.Text;

namespace Pdp.Samples.Bert.Network;

/// <summary>The files of a pretrained BERT, as Hugging Face has them.</summary>
internal sealed class BertFolder
{
    private const string Config = "config.json";
    private const string Vocabulary = "vocab.txt";
    private const string Tensors = "model.safetensors";

    /// <summary>Some models have a few tokens more than pieces, for a rounder number.</summary>
    private const double LeastShare = 0.9;

    private static readonly string[] Files = [Config, Vocabulary, Tensors];

    private readonly string _path;

    /// <exception cref="ArgumentException">It is not given, or lacks a file.</exception>
    public BertFolder(string? path)
    {
        _path = path ?? throw new ArgumentException(
            $"--weights needs a folder with {string.Join(", ", Files)}; --help says where to get them.");
        if (Files.Where(file => !File.Exists(Path.Combine(path, file))).ToArray() is { Length: > 0 } missing)
        {
            throw new ArgumentException($"'{path}' lacks {string.Join(", ", missing)}; --help says where to get them.");
        }
    }

    /// <summary>The file of the weights.</summary>
    public string WeightsFile => Path.Combine(_path, Tensors);

    /// <summary>Reads sizes and vocabulary.</summary>
    /// <param name="length">The most tokens of a text.</param>
    /// <exception cref="ArgumentException">The length is beyond the encoder's positions.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the two don't fit.</exception>
    public (BertConfig Sizes, WordPiece Pieces) Load(int length)
    {
        var sizes = BertConfig.Load(Path.Combine(_path, Config));
        var pieces = WordPiece.Load(Path.Combine(_path, Vocabulary));
        return pieces.Size > sizes.VocabSize
            ? throw new InvalidDataException(
                $"'{_path}': {Vocabulary} has {pieces.Size} pieces, but {Config} a vocab_size of {sizes.VocabSize}.")
            : pieces.Size < LeastShare * sizes.VocabSize
            ? throw new InvalidDataException(
                $"'{_path}': {Vocabulary} has only {pieces.Size} pieces of a vocab_size of {sizes.VocabSize} in {Config}: it is cut off, "
                + "or another model's.")
            : length > sizes.MaxPositionEmbeddings
            ? throw new ArgumentException($"--length {length} is beyond the encoder's {sizes.MaxPositionEmbeddings} positions.")
            : (sizes, pieces);
    }
}
