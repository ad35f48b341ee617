using TorchSharp;

namespace Pdp;

/// <summary>A weight of the model as rules and predicates see it.</summary>
public sealed record LayerInfo
{
    /// <summary>The parameter's name, such as <c>layer1.0.conv1.weight</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the module that owns it, such as <c>layer1.0.conv1</c>; empty for the model itself.</summary>
    public required string ModuleName { get; init; }

    /// <summary>The module that owns it.</summary>
    public required torch.nn.Module Module { get; init; }

    /// <summary>Its shape and the meaning of its dimensions.</summary>
    public required WeightLayout Layout { get; init; }

    /// <summary>
    /// Its index among the weights of linear, bilinear, convolution, recurrent, attention and transformer layers, frozen or not, and the
    /// other parameters that are included.
    /// </summary>
    /// <value>From 0; −1, the default, for embeddings, norms, other parameters, and further names of a tied weight.</value>
    public int Index { get; init; } = -1;

    /// <summary>
    /// Whether it is the last of these; true for all names of a tied weight if it is for one of them. A head that is tied to an embedding
    /// counts.
    /// </summary>
    public bool IsLast { get; init; }
}
