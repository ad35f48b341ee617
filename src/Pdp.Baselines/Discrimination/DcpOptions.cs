using System.Runtime.CompilerServices;
using Pdp.Baselines.Internal;

namespace Pdp.Baselines;

/// <summary>The settings of <see cref="Dcp"/>.</summary>
/// <remarks>
/// The paper counts passes over the training data; these settings count steps, as the method knows no data but its batches.
/// </remarks>
public sealed record DcpOptions
{
    /// <summary>The modules after which the additional discrimination-aware losses stand, by name, such as <c>layer1</c>.</summary>
    /// <value>
    /// Distinct names, in any order; the default is none, which leaves the final loss alone. The paper spreads a few evenly over the
    /// network. Each module gives one tensor, <c>[batch, channels, …]</c>, and is called once in a pass.
    /// </value>
    /// <exception cref="ArgumentNullException">The list or a name is null.</exception>
    /// <exception cref="ArgumentException">A name is empty or occurs twice.</exception>
    public IReadOnlyList<string> Losses { get; init => field = Distinct(value); } = [];

    /// <summary>λ, the weight of the discrimination-aware loss beside the reconstruction error.</summary>
    /// <value>In [0, ∞); default 1, as in the paper.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LossWeight { get; init => field = Ask.NotNegative(value); } = 1;

    /// <summary>The steps of fine-tuning at the beginning of each stage, by which its loss also learns its classifier.</summary>
    /// <value>At least 1; default 100.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int FineTuneSteps { get; init => field = Ask.Within(value, value >= 1, "[1, ∞)"); } = 100;

    /// <summary>The batches over which gradients are added up before a channel is chosen.</summary>
    /// <value>At least 1; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int ScoreBatches { get; init => field = Ask.Within(value, value >= 1, "[1, ∞)"); } = 1;

    /// <summary>The steps that the weights of the chosen channels are updated by, after each choice.</summary>
    /// <value>At least 0; default 4.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int UpdateSteps { get; init => field = Ask.Within(value, value >= 0, "[0, ∞)"); } = 4;

    /// <summary>The learning rate of fine-tuning and of the updates, which are steps of SGD with Nesterov momentum.</summary>
    /// <value>In (0, ∞); default 0.01.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above 0, or not finite.</exception>
    public double LearningRate { get; init => field = Ask.Positive(value); } = 0.01;

    /// <summary>The momentum of these steps.</summary>
    /// <value>In [0, 1); default 0.9.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside of [0, 1).</exception>
    public double Momentum { get; init => field = Ask.Fraction(value); } = 0.9;

    /// <summary>The weight decay of these steps, which is added to the gradient.</summary>
    /// <value>In [0, ∞); default 1e-4.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double WeightDecay { get; init => field = Ask.NotNegative(value); } = 1e-4;

    private static string[] Distinct(IReadOnlyList<string> names, [CallerMemberName] string option = "")
    {
        ArgumentNullException.ThrowIfNull(names, option);
        foreach (var name in names)
            ArgumentException.ThrowIfNullOrEmpty(name, option);
        if (names.CountBy(name => name).FirstOrDefault(pair => pair.Value > 1).Key is { } twice)
            throw new ArgumentException($"'{twice}' occurs twice.", option);
        return [.. names];
    }
}
