using System.IO.Enumeration;
using TorchSharp;

namespace Pdp;

/// <summary>Selects weights by name pattern, module type or predicate; a string is a name pattern.</summary>
/// <remarks>
/// The name of a module covers all weights below it, however deep: <c>layer4</c> means <c>layer4.0.conv1.weight</c> and everything else in
/// that module. In a pattern, <c>*</c> stands for any characters, dots included, and <c>?</c> for a single one: <c>*.downsample</c>,
/// <c>layer?</c> and <c>*.conv1</c>. A pattern has to match a whole name, of the parameter or of a module that contains it, so <c>layer</c>
/// does not mean <c>layer4</c>. Patterns are case-sensitive.
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

    /// <summary>
    /// The first weight of a layer in the order of the model's parameters (<see cref="LayerInfo.Index"/> 0), usually the layer that sees
    /// the input.
    /// </summary>
    public static LayerMatch First { get; } = new(layer => layer.Index == 0, "the first layer");

    /// <summary>
    /// The last weight of a layer in the order of the model's parameters (<see cref="LayerInfo.IsLast"/>), usually the classifier.
    /// </summary>
    /// <remarks>A tied weight takes the position of its last name: a head that is tied to the embedding is the classifier.</remarks>
    public static LayerMatch Classifier { get; } = new(layer => layer.IsLast, "the classifier");

    /// <summary>The pattern; null if the match is not by name.</summary>
    internal string? Pattern { get; private init; }

    /// <summary>The name of the module type; null if the match is not by type.</summary>
    internal string? TypeName { get; private init; }

    /// <summary>Selects weights by name, like <see cref="Named"/>.</summary>
    /// <param name="pattern">The pattern.</param>
#pragma warning disable CA2225 // The named alternative is Named.
    public static implicit operator LayerMatch(string pattern) => Named(pattern);
#pragma warning restore CA2225

    /// <summary>Selects weights whose own name, or the name of a module that contains them, matches a pattern.</summary>
    /// <param name="pattern">The pattern, not empty; <c>*</c> and <c>?</c> are wildcards.</param>
    /// <exception cref="ArgumentException">The pattern is empty.</exception>
    public static LayerMatch Named(string pattern)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(pattern);
        return new(layer => Covers(pattern, layer.Name), $"'{pattern}'") { Pattern = pattern };
    }

    /// <summary>Selects weights that belong directly to modules of a type.</summary>
    /// <typeparam name="TModule">The type of the module, such as <c>TorchSharp.Modules.Conv2d</c>.</typeparam>
    public static LayerMatch OfType<TModule>()
        where TModule : torch.nn.Module =>
            new(layer => layer.Module is TModule, $"modules of type {typeof(TModule).Name}") { TypeName = typeof(TModule).FullName };

    /// <summary>Selects weights that belong directly to modules of a type, or of a derived one, by the type's name.</summary>
    /// <param name="name">The name, with or without the namespace, such as <c>Conv2d</c>; case-sensitive.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static LayerMatch OfType(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new(layer => IsNamed(layer.Module.GetType(), name), $"modules of type {name}") { TypeName = name };
    }

    /// <summary>Selects weights by a predicate.</summary>
    /// <param name="predicate">Returns true for a weight that is selected.</param>
    /// <param name="description">What error messages and plans call the match.</param>
    public static LayerMatch Where(Func<LayerInfo, bool> predicate, string description = "a predicate")
    {
        ArgumentNullException.ThrowIfNull(predicate);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        return new(predicate, description);
    }

    /// <summary>Whether a weight is selected.</summary>
    /// <param name="layer">The weight.</param>
    public bool Matches(LayerInfo layer) => _predicate(layer);

    /// <summary>What error messages and plans call the match.</summary>
    public override string ToString() => _description;

    /// <summary>Whether a pattern matches a parameter's name, or the part before one of its dots, which names a module.</summary>
    private static bool Covers(string pattern, string name)
    {
        for (var end = name.Length; end > 0; end = name.LastIndexOf('.', end - 1))
        {
            if (FileSystemName.MatchesSimpleExpression(pattern, name.AsSpan(0, end), ignoreCase: false))
                return true;
        }

        return false;
    }

    private static bool IsNamed(Type? type, string name) =>
        type is not null && (type.Name == name || type.FullName == name || IsNamed(type.BaseType, name));
}
