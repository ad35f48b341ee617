using Pdp.Channels.Probing.Running;

namespace Pdp.Channels.Probing.Checking;

/// <summary>What a pass in a scenario gives.</summary>
/// <param name="Outputs">The outputs.</param>
/// <param name="HasDrawn">Whether it has drawn random numbers on the CPU.</param>
/// <param name="Buffers">What it leaves in buffers, from which later passes may compute.</param>
internal sealed record TrialPass(Outputs Outputs, bool HasDrawn, Outputs Buffers)
{
    /// <summary>Whether all outputs are finite.</summary>
    public bool IsFinite => Outputs.IsFinite;

    /// <summary>Whether another pass gives the same, bit for bit.</summary>
    public bool Equal(TrialPass other) => Outputs.Equal(other.Outputs) && Buffers.Equal(other.Buffers);
}
