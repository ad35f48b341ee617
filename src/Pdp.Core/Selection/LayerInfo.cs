using Pdp.Masks;
using TorchSharp;

namespace Pdp.Selection;

/// <summary>A weight of the model as rules and predicates see it.</summary>
/// <param name="Name">The parameter's name, such as <c>layer1.0.conv1.weight</c>.</param>
/// <param name="ModuleName">The name of the module that owns it, such as <c>layer1.0.conv1</c>; empty for the model itself.</param>
/// <param name="Module">The module that owns it.</param>
/// <param name="Layout">Its shape and what the dimensions mean.</param>
/// <param name="Index">Its place among the model's weights of two or more dimensions, embeddings and norms left out; from 0.</param>
/// <param name="IsLast">Whether it is the last of these.</param>
public sealed record LayerInfo(string Name, string ModuleName, torch.nn.Module Module, WeightLayout Layout, int Index, bool IsLast);
