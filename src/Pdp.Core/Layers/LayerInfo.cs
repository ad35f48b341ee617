using Pdp.Strategies;
using TorchSharp;

namespace Pdp.Layers;

/// <summary>A weight of the model as rules and predicates see it.</summary>
/// <param name="Name">The parameter's name, such as <c>layer1.0.conv1.weight</c>.</param>
/// <param name="ModuleName">The name of the module that owns it, such as <c>layer1.0.conv1</c>; empty for the model itself.</param>
/// <param name="Module">The module that owns it.</param>
/// <param name="Layout">Its shape and what the dimensions mean.</param>
/// <param name="Index">
/// Its place among the weights of linear, bilinear, convolution, recurrent, attention and transformer layers, frozen or not, and of the other parameters
/// that are included; from 0. −1 for embeddings, norms, other parameters, and further names of a tied weight.
/// </param>
/// <param name="IsLast">
/// Whether it is the last of these; true for all names of a tied weight where it is for one. A head that is tied to an embedding counts.
/// </param>
public sealed record LayerInfo(string Name, string ModuleName, torch.nn.Module Module, WeightLayout Layout, int Index, bool IsLast);
