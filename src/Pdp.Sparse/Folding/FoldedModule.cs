using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Folding;

/// <summary>A module whose work a layer does.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Module">The module.</param>
internal sealed record FoldedModule(string Name, Module<Tensor, Tensor> Module);
