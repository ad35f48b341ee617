using System.Globalization;
using Pdp.Allocation;
using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using Pdp.Layers;
using Pdp.Masking;
using Pdp.Options;
using Pdp.Strategies;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp;

/// <summary>Measures how much a model depends on each of its layers, by its metric with one layer pruned at a time.</summary>
public static class Sensitivity
{
    /// <summary>Prunes each prunable layer alone, by magnitude and without training, at each level, and measures the metric.</summary>
    /// <remarks>
    /// The model is measured in evaluation mode and under no_grad. Its weights and gradients are restored bit for bit after each
    /// measurement, and after an exception. A scan takes one evaluation for each layer and level, and one of the dense model: part of the
    /// validation data is enough.
    /// </remarks>
    /// <param name="model">The model; borrowed.</param>
    /// <param name="evaluate">Returns the metric of the model as it is, such as accuracy on validation data; higher is better.</param>
    /// <param name="levels">
    /// The sparsities as fractions removed, in (0, 1), in rising order. They are rounded down to whole weights, channels or blocks.
    /// </param>
    /// <param name="options">
    /// What to prune and how; only the strategy, channel map, include, exclude, rules and layer bounds are used. Null prunes single weights
    /// of all layers that are prunable by default.
    /// </param>
    /// <param name="progress">Receives each layer's result when it is done.</param>
    /// <exception cref="ArgumentException">There are no levels, they don't rise, or the options don't fit the model.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A level is not in (0, 1).</exception>
    /// <exception cref="InvalidOperationException">
    /// A pruner that is not disposed prunes one of the weights, a weight is not finite, the dense metric is not a number, or the evaluation
    /// changed weights.
    /// </exception>
    public static SensitivityReport Scan(
        Module model,
        Func<double> evaluate,
        IReadOnlyList<double> levels,
        PdpOptions? options = null,
        IProgress<LayerSensitivity>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(evaluate);
        RequireLevels(levels);
        options = OptionChecks.InForce((options ?? new PdpOptions { Epochs = 1 }) with { Method = null, Importance = null });
        using var pruned = new PrunedModel(model, options);
        Ownership.Take(
            pruned, from layer in pruned.Masked.Layers from parameter in layer.Group.Parameters select (layer.Mask.Name, parameter));
        try
        {
            using var mode = new EvaluationMode(model);
            using var _ = no_grad();
            var dense = evaluate();
            if (double.IsNaN(dense))
                throw new InvalidOperationException(
                    "The metric of the dense model is not a number, so nothing can be compared with it: check the evaluation.");
            return new() { Dense = dense, Levels = [.. levels], Layers = [.. pruned.Masked.Layers.Select(LayerOf)] };
        }
        finally
        {
            Ownership.Release(pruned);
        }

        LayerSensitivity LayerOf(PrunedLayer layer)
        {
            var measured = Measure(layer, LayerLimits.Of(layer.Mask, layer.Rule, options.Goal), evaluate, levels) with
            {
                Rule = layer.Rule,
                IsFixed = layer.Mask.Strategy.FixedSparsity is not null || layer.Rule?.Sparsity is not null,
                MaximumSparsity = layer.Rule?.MaximumSparsity ?? options.MaximumLayerSparsity,
            };
            progress?.Report(measured);
            return measured;
        }
    }

    private static LayerSensitivity Measure(PrunedLayer layer, LayerLimits limits, Func<double> evaluate, IReadOnlyList<double> levels)
    {
        layer.Group.RequireFinite();
        var mask = layer.Mask;
        return new()
        {
            Name = mask.Name,
            Strategy = mask.Strategy.Name,
            Elements = mask.Layout.Elements,
            Points = [.. levels.Select(level => Math.Min(Counts.Floor(mask.Members, level), mask.Members - 1))
                .Select(removed => Point(layer, limits.Aligned(removed), evaluate))],
        };
    }

    private static SensitivityPoint Point(PrunedLayer layer, long removed, Func<double> evaluate)
    {
        var (group, mask) = (layer.Group, layer.Mask);
        mask.Target = removed;
        mask.Move(fraction: 1, epoch: 0);
        double metric;
        string? fault;
        group.Enter(MaskForm.Raw);
        try
        {
            metric = evaluate();
        }
        finally
        {
            fault = group.Leave(out var _) ?? group.TakeDeferredFault();
        }

        return fault is null
            ? new() { Sparsity = mask.RemovedWeights / (double)mask.Layout.Elements, Metric = metric }
            : throw new InvalidOperationException($"The evaluation must leave the weights as they are: {fault}");
    }

    private static void RequireLevels(IReadOnlyList<double> levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Count == 0)
            throw new ArgumentException("A scan needs at least one level, such as 0.5, 0.7, 0.9.", nameof(levels));
        foreach (var level in levels)
            Guard.Inside(level, nameof(levels));
        for (var i = 1; i < levels.Count; i++)
        {
            if (levels[i] <= levels[i - 1])
            {
                var order = string.Create(CultureInfo.InvariantCulture, $"{levels[i]} comes after {levels[i - 1]}");
                throw new ArgumentException($"Levels must rise, but {order}.", nameof(levels));
            }
        }
    }
}
