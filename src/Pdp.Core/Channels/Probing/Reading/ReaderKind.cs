namespace Pdp.Channels.Probing.Reading;

/// <summary>What a reader's slices are.</summary>
internal enum ReaderKind
{
    /// <summary>The inputs of a layer.</summary>
    Inputs,

    /// <summary>The outputs of a layer that only scale channels.</summary>
    Gates,

    /// <summary>The elements of a vector that scales channels.</summary>
    Elements,

    /// <summary>A dimension of another parameter, which can't be cut.</summary>
    Other,
}
