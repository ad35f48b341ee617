using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Diagnosing;

/// <summary>A part of a model that no pass has run.</summary>
/// <param name="Weight">The name of its weight.</param>
/// <param name="Widths">The numbers of channels that it may make or read.</param>
internal sealed record UnrunPart(string Weight, IReadOnlyCollection<long> Widths)
{
    /// <summary>The parts of a model that have no gradient in any pass and aren't seen to be called.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="isReached">Whether a parameter had a gradient.</param>
    /// <param name="isCalled">Whether a module was called.</param>
    public static IReadOnlyList<UnrunPart> Of(
        Module model, IReadOnlyList<ProbedLayer> layers, Func<Parameter, bool> isReached, Func<Module, bool> isCalled)
    {
        var byModule = layers.ToDictionary(layer => layer.Module);
        return
        [
            .. ModelModules.Of(model).DistinctBy(pair => pair.Module).Select(pair => Of(pair.Name, pair.Module)).OfType<UnrunPart>(),
        ];

        UnrunPart? Of(string name, Module module)
        {
            var own = module.named_parameters(recurse: false)
                .Where(pair => pair.parameter.is_floating_point() && pair.parameter.numel() > 1).ToArray();
            // A module of the user's may be called and not use a parameter of its own.
            var isKnown = module.GetType().Assembly == typeof(Module).Assembly;
            if (own.Length == 0 || own.Any(pair => isReached(pair.parameter)) || (isKnown && isCalled(module)))
                return null;

            return byModule.TryGetValue(module, out var layer)
                ? new(layer.WeightName, [layer.Inputs, layer.Outputs])
                : new(ProbedLayer.Dotted(name, own[0].name), [.. own.SelectMany(pair => pair.parameter.shape).Where(size => size > 1)]);
        }
    }
}
