using TorchSharp.Modules;

namespace Pdp.Layers;

/// <summary>A name of a weight in a model.</summary>
/// <param name="Info">The weight under this name, as matches see it.</param>
/// <param name="Parameter">The weight.</param>
/// <param name="Role">Its role in the module that owns it.</param>
/// <param name="Place">Its index among all names of weights.</param>
internal sealed record ScannedWeight(LayerInfo Info, Parameter Parameter, WeightRole Role, int Place);
