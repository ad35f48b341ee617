using Pdp.Samples.Gpt.Network;
using Pdp.Samples.Gpt.Text;

namespace Pdp.Samples.Gpt.Training;

/// <summary>The text that a run ends with: what its network writes, beside what the dense one writes under the same draws.</summary>
internal sealed class Writing
{
    /// <summary>The tokens of the test text that text begins with, where no prompt is given.</summary>
    private const int Prompted = 8;

    private readonly Settings _settings;
    private readonly IVocabulary _vocabulary;
    private readonly int[] _prompt;
    private readonly string? _dense;

    /// <param name="settings">The settings.</param>
    /// <param name="data">The texts.</param>
    /// <param name="config">The sizes of the models.</param>
    /// <param name="denseFile">The dense model's weights; null where there are none.</param>
    /// <exception cref="InvalidDataException">The prompt has no token, or the weights are of another model.</exception>
    public Writing(Settings settings, TokenData data, GptConfig config, string? denseFile)
    {
        (_settings, _vocabulary) = (settings, data.Vocabulary);
        _prompt = settings.Prompt is { } prompt ? _vocabulary.Encode(prompt) : [.. data.Tests[0].Tokens.Take(Prompted)];
        if (_prompt.Length == 0)
        {
            throw new InvalidDataException("--prompt has no token to begin with.");
        }

        if (denseFile is not null && settings is { Method: not "dense", Write: > 0 })
        {
            using var model = new GptModel(config);
            GptWeights.LoadInto(model, denseFile, _vocabulary);
            _dense = Of(model);
        }
    }

    /// <summary>Writes the text, shows it, and returns it; null if none was asked for.</summary>
    public string? Show(GptModel model)
    {
        if (_settings.Write == 0)
        {
            return null;
        }

        var text = Of(model);
        Console.WriteLine($"Text that begins with '{_vocabulary.Decode(_prompt).Trim()}':");
        Console.Write(_dense is null ? text + "\n" : SideBySide.Of("dense", _dense, _settings.Method, text));
        return text;
    }

    private string Of(GptModel model) =>
        _vocabulary.Decode(new Continuation(_settings.Seed, _vocabulary.Size).Of(model, _prompt, _settings.Write));
}
