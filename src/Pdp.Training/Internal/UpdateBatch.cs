using static TorchSharp.torch;

namespace Pdp.Training.Internal;

/// <summary>Updates that one call of a fused kernel makes: of one group, and all at the same step.</summary>
internal sealed class UpdateBatch(IReadOnlyList<Update> updates)
{
    public ParameterGroup Group => updates[0].Slot.Group;

    /// <summary>The steps that these parameters took before.</summary>
    public long Steps => updates[0].Slot.Steps;

    public Tensor[] Parameters { get; } = [.. updates.Select(update => update.Slot.Parameter)];

    public Tensor[] Gradients { get; } = [.. updates.Select(update => update.Gradient)];

    public Tensor[] Empties { get; } = [.. updates.Select(update => update.Slot.Empty)];

    /// <summary>One part of the state of all parameters.</summary>
    public Tensor[] State(int index) => [.. updates.Select(update => update.Slot.RequireState()[index])];
}
