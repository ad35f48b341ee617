using TorchSharp.Modules;

namespace Pdp.Methods;

/// <summary>What is pruned under one mask, as a method sees it.</summary>
/// <param name="Mask">The mask: its name, layout, strategy and counts.</param>
/// <param name="Weight">The parameter, borrowed; null for channels of several weights that are tied.</param>
public sealed record MethodLayer(PdpMask Mask, Parameter? Weight);
