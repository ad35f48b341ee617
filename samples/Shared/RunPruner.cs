using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>Makes the pruner of a run.</summary>
internal static class RunPruner
{
    /// <summary>
    /// Attaches a pruner and checks that its schedule, which may be the library's or its method's, ends before the commit.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="options">The library's options.</param>
    /// <param name="settings">The run's settings.</param>
    /// <param name="commit">The epoch of the commit.</param>
    /// <exception cref="ArgumentException">The options don't go together, or the commit comes too early.</exception>
    public static PdpPruner Attach(nn.Module model, PdpOptions options, PruningSettings settings, double commit)
    {
        var pruner = new PdpPruner(model, options);
        try
        {
            new Timeline(settings).RequireEnded(commit, pruner.Schedule);
            return pruner;
        }
        catch
        {
            pruner.Dispose();
            throw;
        }
    }
}
