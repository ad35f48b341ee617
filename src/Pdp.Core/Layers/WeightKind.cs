namespace Pdp.Layers;

/// <summary>What a parameter of two or more dimensions is to its module.</summary>
internal enum WeightKind
{
    /// <summary>The weight of a linear, bilinear, convolution, recurrent, attention or transformer layer.</summary>
    Layer,

    /// <summary>The table of an embedding.</summary>
    Embedding,

    /// <summary>The scale or shift of a norm.</summary>
    Norm,

    /// <summary>Anything else: a class token, a position embedding, a layer scale, or the weight of a layer that is written by hand.</summary>
    Other,
}
