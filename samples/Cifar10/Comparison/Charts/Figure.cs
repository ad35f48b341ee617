using ScottPlot;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>Plots side by side, and the size of the picture in pixels.</summary>
internal sealed record Figure(Multiplot Plots, int Width, int Height);
