namespace Pdp;

/// <summary>
/// A pruning method other than PDP's soft mask, for <see cref="PdpOptions.Method"/>: defines the weights of the forward pass and their
/// gradient.
/// </summary>
/// <remarks>
/// The pruner keeps choosing layers and counts, following the schedule, opening scopes, committing and reporting. Implementations are
/// immutable.
/// </remarks>
public interface IPruningMethod
{
    /// <summary>A short name for plans and messages, such as <c>GMP</c>.</summary>
    string Name { get; }

    /// <summary>Checks the options of a run and fills in those that are not set, such as the schedule.</summary>
    /// <param name="options">The options as the user made them.</param>
    /// <returns>The options in force.</returns>
    /// <exception cref="ArgumentException">The method doesn't support one of them, such as the strategy.</exception>
    PdpOptions Configure(PdpOptions options);

    /// <summary>Starts a run.</summary>
    /// <param name="layers">The pruned layers, in the order of the model's parameters; borrowed for the life of the run.</param>
    /// <returns>The run; the caller's.</returns>
    IMethodRun Attach(IReadOnlyList<MethodLayer> layers);
}
