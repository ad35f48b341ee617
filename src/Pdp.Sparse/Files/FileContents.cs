using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>The contents of a file for a model.</summary>
/// <param name="Tensors">Its tensors.</param>
/// <param name="Signatures">The signatures of the model's tensors that are not among these under their names.</param>
internal sealed record FileContents(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Signatures);
