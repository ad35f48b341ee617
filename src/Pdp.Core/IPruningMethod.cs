namespace Pdp;

/// <summary>Another way to prune than PDP's soft mask, for <see cref="PdpOptions.Method"/>: what the forward pass sees, and how its gradient comes back.</summary>
/// <remarks>The choice of layers, counts, schedules, the scope, commit and report stay the pruner's. Implementations are immutable.</remarks>
public interface IPruningMethod
{
    /// <summary>A short name for plans and messages, such as <c>GMP</c>.</summary>
    string Name { get; }

    /// <summary>Checks what a run is asked for, and fills in what it leaves open, such as the schedule.</summary>
    /// <param name="options">The options as the user made them.</param>
    /// <returns>The options in force.</returns>
    /// <exception cref="ArgumentException">The method doesn't define what they ask for, such as a strategy.</exception>
    PdpOptions Configure(PdpOptions options);

    /// <summary>Starts a run.</summary>
    /// <param name="layers">What is pruned, in the order of the model's parameters; borrowed for the life of the run.</param>
    /// <returns>The run; the caller's.</returns>
    IMethodRun Attach(IReadOnlyList<MethodLayer> layers);
}
