using TorchSharp.Modules;

namespace Pdp;

/// <summary>A parameter with its name; what TorchSharp's <c>named_parameters</c> gives, which it converts to.</summary>
/// <param name="Name">The name.</param>
/// <param name="Parameter">The parameter; borrowed.</param>
public readonly record struct NamedParameter(string Name, Parameter Parameter)
{
    /// <summary>The pair, for <c>[.. model.named_parameters(), .. pruner.Parameters]</c>.</summary>
    /// <param name="named">The parameter.</param>
    public static implicit operator (string Name, Parameter Parameter)(NamedParameter named) => named.ToValueTuple();

    /// <summary>The pair.</summary>
    public (string Name, Parameter Parameter) ToValueTuple() => (Name, Parameter);
}
