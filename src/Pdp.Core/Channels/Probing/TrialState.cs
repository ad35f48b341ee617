using static TorchSharp.torch;

namespace Pdp.Channels.Probing;

/// <summary>A state in which groups are cut for trial.</summary>
/// <param name="Words">The state in words, as in "with …".</param>
/// <param name="Fill">Puts the parameters and buffers into it.</param>
/// <param name="Inputs">What the model is called with; null for the user's own input.</param>
/// <param name="IsTraining">Whether the model is in training mode, without its dropout.</param>
/// <param name="NormsEvaluate">Whether norms evaluate in training mode all the same.</param>
/// <param name="Otherwise">The state that takes the place of this one where it says nothing.</param>
/// <param name="Seed">What the channels that are cut are drawn from.</param>
internal sealed record TrialState(string Words, Action Fill, IReadOnlyList<Tensor>? Inputs, ulong Seed, bool IsTraining = false, bool NormsEvaluate = false, TrialState? Otherwise = null);
