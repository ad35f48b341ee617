using System.IO.Enumeration;
using TorchSharp;

namespace Pdp;

/// <summary>Chooses weights by name pattern, by type of module or by predicate; a string is a name pattern.</summary>
/// <remarks>
/// In a pattern <c>*</c> stands for any characters, dots included, and <c>?</c> for one. It has to match the whole name of the parameter or
/// the whole name of its module: <c>layer4.*</c>, <c>*.conv1</c> and <c>fc.weight</c> all work. Case counts.
/// </remarks>
public sealed class LayerMatch
{
    private readonly Func<LayerInfo, bool> _predicate;
    private readonly string _description;

    private LayerMatch(Func<LayerInfo, bool> predicate, string description)
    {
        _predicate = predicate;
        _description = description;
    }

    /// <summary>The first weight of a layer in the order of the model's parameters (<see cref="LayerInfo.Index"/> 0), usually the layer that sees the input.</summary>
    public static LayerMatch First { get; } = new(layer => layer.Index == 0, "the first layer");

    /// <summary>The last weight of a layer in the order of the model's parameters (<see cref="LayerInfo.IsLast"/>), usually the classifier.</summary>
    /// <remarks>A tied weight comes where the last of its names does: a head that is tied to the embedding is the classifier.</remarks>
    public static LayerMatch Classifier { get; } = new(layer => layer.IsLast, "the classifier");

    /// <summary>The pattern; null where names don't decide.</summary>
    internal string? Pattern { get; private init; }

    /// <summary>The name of the type of module; null where it doesn't decide.</summary>
    internal string? TypeName { get; private init; }

    /// <summary>Weights by name, as <see cref="Named"/> does it.</summary>
    /// <param name="pattern">The pattern.</param>
#pragma warning disable CA2225 // The named alternative is Named.
    public static implicit operator LayerMatch(string pattern) => Named(pattern);
#pragma warning restore CA2225

    /// <summary>Weights whose own name or whose module's name matches a pattern.</summary>
    /// <param name="pattern">The pattern, not empty; <c>*</c> and <c>?</c> are wildcards.</param>
    /// <exception cref="ArgumentException">The pattern is empty.</exception>
    public static LayerMatch Named(string pattern)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(pattern);
        return new(
            layer => FileSystemName.MatchesSimpleExpression(pattern, layer.Name, ignoreCase: false)
                || FileSystemName.MatchesSimpleExpression(pattern, layer.ModuleName, ignoreCase: false),
            $"'{pattern}'") { Pattern = pattern };
    }

    /// <summary>Weights that belong directly to modules of a type.</summary>
    /// <typeparam name="TModule">The type of the module, such as <c>TorchSharp.Modules.Conv2d</c>.</typeparam>
    public static LayerMatch OfType<TModule>()
        where TModule : torch.nn.Module => new(layer => layer.Module is TModule, $"modules of type {typeof(TModule).Name}") { TypeName = typeof(TModule).FullName };

    /// <summary>Weights that belong directly to modules of a type, or of one derived from it, by the type's name.</summary>
    /// <param name="name">The name, with or without the namespace, such as <c>Conv2d</c>; case counts.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static LayerMatch OfType(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new(layer => IsNamed(layer.Module.GetType(), name), $"modules of type {name}") { TypeName = name };
    }

    /// <summary>Weights by predicate.</summary>
    /// <param name="predicate">Returns true for a weight that is meant.</param>
    /// <param name="description">What error messages and plans call it.</param>
    public static LayerMatch Where(Func<LayerInfo, bool> predicate, string description = "a predicate")
    {
        ArgumentNullException.ThrowIfNull(predicate);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return new(predicate, description);
    }

    /// <summary>Whether a weight is meant.</summary>
    /// <param name="layer">The weight.</param>
    public bool Matches(LayerInfo layer) => _predicate(layer);

    /// <summary>What error messages and plans call it.</summary>
    public override string ToString() => _description;

    private static bool IsNamed(Type? type, string name) =>
        type is not null && (type.Name == name || type.FullName == name || IsNamed(type.BaseType, name));
}
