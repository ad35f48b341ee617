using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;

namespace Pdp.Training;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
/// <remarks>
/// An optimizer works on copies, which are its <see cref="FusedOptimizer.Groups"/>: change the learning rates of those during training. A
/// parameter that is listed twice in a group, as tied ones are, is optimized once, by its first name.
/// </remarks>
public sealed class ParameterGroup : torch.optim.ILearningRateController
{
    private double? _initialLearningRate;

    /// <summary>Groups named parameters, such as a part of what <c>model.named_parameters()</c> lists.</summary>
    /// <param name="parameters">The parameters. Their names are the keys of the optimizer's state.</param>
    /// <exception cref="ArgumentNullException"><paramref name="parameters"/> or a parameter in it is null.</exception>
    public ParameterGroup(IEnumerable<(string name, Parameter parameter)> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Parameters =
        [
            .. parameters.Select(entry =>
                (Guard.NotNull(entry.name, nameof(parameters)), Guard.NotNull(entry.parameter, nameof(parameters)))),
        ];
    }

    /// <summary>The parameters, by name.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>The learning rate of the next step.</summary>
    /// <value>In [0, ∞); by default the optimizer's.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double LearningRate
    {
        get => GivenLearningRate
            ?? throw new InvalidOperationException("The group has no learning rate yet: pass the group to an optimizer first.");
        set => GivenLearningRate = Guard.NotNegative(value);
    }

    /// <summary>The learning rate that schedules start from, <see cref="LearningRateSchedule"/> and TorchSharp's.</summary>
    /// <value>In [0, ∞); by default the learning rate at the optimizer's construction.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    /// <exception cref="InvalidOperationException">
    /// The value is read, but none is set, and no optimizer has given the group a learning rate.
    /// </exception>
    public double InitialLearningRate
    {
        get => _initialLearningRate ?? LearningRate;
        set => _initialLearningRate = Guard.NotNegative(value);
    }

    /// <summary>The weight decay of the group.</summary>
    /// <value>In [0, ∞); by default (null) the optimizer's.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double? WeightDecay { get; init => field = value is { } given ? Guard.NotNegative(given) : null; }

    internal double? GivenLearningRate { get; private set; }

    /// <summary>
    /// Makes two groups: weights of two or more dimensions decay; biases and the scales and shifts of norms do not.
    /// </summary>
    /// <param name="parameters">All parameters, such as <c>model.named_parameters()</c>.</param>
    /// <param name="weightDecay">The weight decay of the first group, in [0, ∞).</param>
    /// <returns>The groups that are not empty.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="parameters"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="weightDecay"/> is outside its range.</exception>
    public static IReadOnlyList<ParameterGroup> DecayWeightsOnly(
        IEnumerable<(string name, Parameter parameter)> parameters, double weightDecay)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Guard.NotNegative(weightDecay, nameof(weightDecay));
        var isWeight = parameters.ToLookup(entry => entry.parameter.dim() > 1);
        ParameterGroup[] groups = [new(isWeight[true]) { WeightDecay = weightDecay }, new(isWeight[false]) { WeightDecay = 0 }];
        return [.. groups.Where(group => group.Parameters.Count > 0)];
    }

    /// <summary>A copy for an optimizer of its own, with the learning rate that it has or is given.</summary>
    internal ParameterGroup Copy(double learningRate) => new(Distinct())
    {
        WeightDecay = WeightDecay,
        LearningRate = GivenLearningRate ?? learningRate,
        InitialLearningRate = _initialLearningRate ?? GivenLearningRate ?? learningRate,
    };

    /// <exception cref="ArgumentException">
    /// There is no parameter, two have the same name, one is in two groups, or one does not hold real floating-point numbers
    /// or is an expanded view.
    /// </exception>
    internal static void RequireDistinct(IReadOnlyList<ParameterGroup> groups)
    {
        if (groups.All(group => group.Parameters.Count == 0))
        {
            throw new ArgumentException("There is no parameter to optimize.", nameof(groups));
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var seen = new Dictionary<nint, (ParameterGroup Group, string Name)>();
        var entries = groups.SelectMany(group => group.Parameters.Select(entry => (group, entry.Name, entry.Parameter)));
        foreach (var (group, name, parameter) in entries)
        {
            if (!names.Add(name))
            {
                throw new ArgumentException($"Two parameters are named '{name}'.", nameof(groups));
            }

            if (!parameter.is_floating_point())
            {
                throw new ArgumentException(
                    $"'{name}' is {parameter.dtype}; only real floating-point parameters can be optimized.", nameof(groups));
            }

            if (ExpandedView.Is(parameter))
            {
                throw new ArgumentException($"'{name}' is an expanded view, whose numbers share their memory.", nameof(groups));
            }

            var address = TensorAddress.OfNative(parameter);
            if (seen.TryGetValue(address, out var other) && other.Group != group)
            {
                throw new ArgumentException(
                    $"'{other.Name}' and '{name}' are the same parameter, in two groups; leave it out of one.", nameof(groups));
            }

            seen.TryAdd(address, (group, name));
        }
    }

    // TorchSharp lists a tied parameter once for each wrapper that it has given out.
    private IEnumerable<(string, Parameter)> Distinct() => Parameters.DistinctBy(entry => TensorAddress.OfNative(entry.Parameter));
}
