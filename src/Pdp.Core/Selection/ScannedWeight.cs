using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Selection;

/// <summary>A weight found in a model.</summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="ModuleName">The owner's name; empty for the model itself.</param>
/// <param name="Module">The owner.</param>
/// <param name="Parameter">The weight.</param>
/// <param name="ReasonToLeave">Why it is dense by default; null if it is pruned by default.</param>
/// <param name="IsTied">Whether it is the same storage as an earlier one.</param>
internal sealed record ScannedWeight(
    string Name, string ModuleName, Module Module, Parameter Parameter, string? ReasonToLeave, bool IsTied);
