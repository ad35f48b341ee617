using static TorchSharp.torch;

namespace Pdp.Training.Optimizers;

/// <summary>The updates of one call to a fused kernel: in one group, and all at the same step.</summary>
internal sealed class UpdateBatch(IReadOnlyList<Update> updates)
{
    public ParameterGroup Group => updates[0].Slot.Group;

    /// <summary>The number of steps that these parameters have taken.</summary>
    public long Steps => updates[0].Slot.Steps;

    public Tensor[] Parameters { get; } = [.. updates.Select(update => update.Slot.Parameter)];

    public Tensor[] Gradients { get; } = [.. updates.Select(update => update.Gradient)];

    public Tensor[] Empties { get; } = [.. updates.Select(update => update.Slot.Empty)];

    /// <summary>One state tensor of each parameter.</summary>
    public Tensor[] State(int index) => [.. updates.Select(update => update.Slot.RequireState()[index])];
}
