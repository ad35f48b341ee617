using TorchSharp.Modules;

namespace Pdp.Training;

/// <summary>Adam, in the arithmetic of PyTorch's <c>Adam</c>: the weight decay is an L2 penalty, g + λ·w in place of g.</summary>
/// <remarks>See <see cref="FusedAdamBase"/> for the equations.</remarks>
public sealed class FusedAdam : FusedAdamBase
{
    private const double DefaultDecay = 0;

    /// <summary>Optimizes named parameters, in one group.</summary>
    /// <param name="parameters">The parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">The settings; <c>new AdamOptions()</c> has PyTorch's defaults.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, or one is given twice.</exception>
    public FusedAdam(IEnumerable<(string name, Parameter parameter)> parameters, AdamOptions options)
        : this([new ParameterGroup(parameters)], options)
    {
    }

    /// <summary>Optimizes groups of parameters.</summary>
    /// <param name="groups">The groups; what they do not set comes from the options.</param>
    /// <param name="options">The settings; <c>new AdamOptions()</c> has PyTorch's defaults.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, or one is given twice.</exception>
    public FusedAdam(IEnumerable<ParameterGroup> groups, AdamOptions options)
        : base(groups, options ?? throw new ArgumentNullException(nameof(options)), DefaultDecay)
    {
    }

    private protected override bool IsDecoupled => false;
}
