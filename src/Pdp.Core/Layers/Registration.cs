using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>Checks that the masked parameters are exclusive: no others share their memory, and no new ones take their names.</summary>
internal sealed class Registration
{
    private readonly Module _model;
    private readonly Dictionary<string, nint> _masked;

    /// <summary>Records the masked parameters.</summary>
    /// <exception cref="ArgumentException">
    /// A masked parameter shares memory with another one, some of its own elements share memory, or it was created under inference_mode.
    /// </exception>
    public Registration(Module model, IEnumerable<Parameter> parameters)
    {
        _model = model;
        var masked = parameters.Select(TensorAddress.OfNative).ToHashSet();
        _masked = ModelParameters.Of(model).Where(pair => masked.Contains(TensorAddress.OfNative(pair.Parameter)))
            .ToDictionary(pair => pair.Name, pair => TensorAddress.OfNative(pair.Parameter), StringComparer.Ordinal);
        foreach (var pruned in ModelParameters.Of(model).Where(pair => _masked.ContainsKey(pair.Name)))
            InferenceMode.Refuse(pruned.Name, pruned.Parameter, nameof(model));

        Footprint[] footprints =
        [
            .. ModelParameters.Of(model)
                .Where(pair => Footprint.IsKnown(pair.Parameter))
                .DistinctBy(pair => TensorAddress.OfNative(pair.Parameter))
                .Select(pair => new Footprint(pair.Name, pair.Parameter)).OrderBy(footprint => footprint.Low),
        ];
        foreach (var footprint in footprints.Where(footprint => masked.Contains(footprint.Self) && footprint.IsFolded))
            throw new ArgumentException(
                $"'{footprint.Name}' has elements that share memory, as expanded tensors do: make the parameter from a clone, or exclude "
                + "it.");
        RequireApart(footprints, masked);
    }

    /// <summary>Checks that the names still refer to the masked parameters.</summary>
    /// <exception cref="InvalidOperationException">One doesn't.</exception>
    public void Require()
    {
        var now = ModelParameters.Of(_model)
            .ToDictionary(pair => pair.Name, pair => TensorAddress.OfNative(pair.Parameter), StringComparer.Ordinal);
        foreach (var (name, native) in _masked)
        {
            if (now.GetValueOrDefault(name) != native)
                throw new InvalidOperationException(Faults.Moved($"'{name}'"));
        }
    }

    private static void RequireApart(Footprint[] footprints, HashSet<nint> masked)
    {
        for (var i = 0; i < footprints.Length; i++)
        {
            for (var j = i + 1; j < footprints.Length && footprints[j].Low < footprints[i].High; j++)
            {
                var (one, other) = (footprints[i], footprints[j]);
                if ((masked.Contains(one.Self) || masked.Contains(other.Self)) && one.Overlaps(other))
                    throw new ArgumentException(
                        $"'{one.Name}' and '{other.Name}' are two parameters on the same memory, and a mask sees the gradient of only one: "
                        + "register the same Parameter under both names, make one from a clone, or exclude both.");
            }
        }
    }
}
