using TorchSharp.Modules;

namespace Pdp.Training;

/// <summary>AdamW, in the arithmetic of PyTorch's <c>AdamW</c>: the weight decay is decoupled, w ← (1 − γ·λ)·w before the step.</summary>
/// <remarks>See <see cref="FusedAdamBase"/> for the equations.</remarks>
public sealed class FusedAdamW : FusedAdamBase
{
    private const double DefaultDecay = 0.01;

    /// <summary>Optimizes named parameters, in one group.</summary>
    /// <param name="parameters">The parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">The settings; <c>new AdamOptions()</c> has PyTorch's defaults.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, or one is given twice.</exception>
    public FusedAdamW(IEnumerable<(string name, Parameter parameter)> parameters, AdamOptions options)
        : this([new ParameterGroup(parameters)], options)
    {
    }

    /// <summary>Optimizes groups of parameters.</summary>
    /// <param name="groups">The groups; what they do not set comes from the options.</param>
    /// <param name="options">The settings; <c>new AdamOptions()</c> has PyTorch's defaults.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no parameter, or one is given twice.</exception>
    public FusedAdamW(IEnumerable<ParameterGroup> groups, AdamOptions options)
        : base(groups, options ?? throw new ArgumentNullException(nameof(options)), DefaultDecay)
    {
    }

    private protected override bool IsDecoupled => true;
}
