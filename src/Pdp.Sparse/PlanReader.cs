using Pdp.Internal;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Layers;
using Pdp.Sparse.Packing;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse;

/// <summary>Applies a plan to a model.</summary>
/// <param name="model">The model.</param>
/// <param name="weights">Its weights.</param>
internal sealed class PlanReader(Module model, IReadOnlyList<WeightEntry> weights)
{
    private readonly Dictionary<string, Module> _modules =
        ModelModules.Of(model).ToDictionary(pair => pair.Name, pair => pair.Module, StringComparer.Ordinal);

    /// <summary>Checks a plan.</summary>
    /// <exception cref="ArgumentException">The plan doesn't fit the model.</exception>
    public IReadOnlyList<ChosenLayer> Read(SparsePlan plan)
    {
        ChosenLayer[] layers = [.. plan.Layers.Select(Checked)];
        RequireOwnNorms(plan);
        return layers;
    }

    private ChosenLayer Checked(SparseLayerPlan plan)
    {
        if (weights.FirstOrDefault(weight => weight.Info.Name == plan.Name) is not { } weight)
            throw Fault(plan, $"the model has no such weight; it has {string.Join(", ", weights.Select(weight => weight.Info.Name))}");
        if (!weight.Info.Layout.Shape.SequenceEqual(plan.Shape))
            throw Fault(plan, $"its shape is {weight.Info.Layout}, not [{string.Join(", ", plan.Shape)}]");
        if (weight.Layer is not { } layer || (plan.Form == LayerForm.Packed && weight.Obstacle is not null))
            throw Fault(plan, weight.Obstacle!);

        var fold = new LayerFold(
            Follower(plan, plan.Norm, module => IsNormOf(module, layer)), Follower(plan, plan.Activation, IsActivation));
        var isPossible = plan.Form switch
        {
            LayerForm.Folded => DenseForm.IsFor(layer),
            LayerForm.ChannelsLast => DenseForm.IsFor(layer) && layer.Module is TorchSharp.Modules.Conv2d,
            LayerForm.Packed => true,
            _ => false,
        };
        return isPossible ? new(layer, fold, plan.Form) : throw Fault(plan, $"it can't have the form {plan.Form}");
    }

    // A norm can be folded into one layer only.
    private static void RequireOwnNorms(SparsePlan plan)
    {
        foreach (var layers in plan.Layers.Where(layer => layer.Norm is not null).GroupBy(layer => layer.Norm, StringComparer.Ordinal))
        {
            if (layers.Skip(1).FirstOrDefault() is { } second)
                throw Fault(second, $"'{layers.Key}' is folded into '{layers.First().Name}' already");
        }
    }

    private FoldedModule? Follower(SparseLayerPlan plan, string? name, Func<Module, bool> isFit)
    {
        if (name is null)
            return null;
        return _modules.TryGetValue(name, out var module) && isFit(module)
            ? new(name, (Module<Tensor, Tensor>)module)
            : throw Fault(plan, $"the model has no module '{name}' that can be folded into it there; it has {Candidates(isFit)}");
    }

    private string Candidates(Func<Module, bool> isFit)
    {
        var names = string.Join(", ", _modules.Where(pair => isFit(pair.Value)).Select(pair => $"'{pair.Key}'"));
        return names.Length == 0 ? "none" : names;
    }

    private static bool IsNormOf(Module module, Layer layer) =>
        LayerFold.IsNorm(module) && ((BatchNorm)module).num_features == layer.Weight.shape[0];

    private static bool IsActivation(Module module) => LayerFold.ActivationOf(module) is not null;

    private static ArgumentException Fault(SparseLayerPlan plan, string fault) =>
        new($"The plan doesn't fit the model: '{plan.Name}': {fault}.", nameof(plan));
}
