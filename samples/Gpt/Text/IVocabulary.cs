namespace Pdp.Samples.Gpt.Text;

/// <summary>Cuts text into tokens, and puts it together again.</summary>
internal interface IVocabulary
{
    /// <summary>What it cuts text into, with its size; the same for the same tokens with the same numbers.</summary>
    string Description { get; }

    /// <summary>The number of tokens.</summary>
    int Size { get; }

    /// <exception cref="InvalidDataException">The text has something that the vocabulary lacks.</exception>
    int[] Encode(string text);

    string Decode(IReadOnlyList<int> tokens);
}
