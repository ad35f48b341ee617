namespace Pdp.Layers;

/// <summary>The role of a parameter of two or more dimensions in its module.</summary>
internal enum WeightRole
{
    /// <summary>The weight of a linear, bilinear, convolution, recurrent, attention or transformer layer.</summary>
    Layer,

    /// <summary>The table of an embedding.</summary>
    Embedding,

    /// <summary>The scale or shift of a norm.</summary>
    Norm,

    /// <summary>Anything else: a class token, a position embedding, a layer scale, or the weight of a hand-written layer.</summary>
    Other,
}
