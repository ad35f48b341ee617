using Pdp.Internal;
using Pdp.Masking;
using static TorchSharp.torch.nn;

namespace Pdp.Layers;

/// <summary>Watches that a mask has its parameters for itself: no others on their memory, no new ones under their names.</summary>
internal sealed class Registration
{
    private readonly Module _model;
    private readonly Dictionary<string, nint> _masked;

    /// <summary>Notes what is masked.</summary>
    /// <exception cref="ArgumentException">A parameter that is masked lies in the same memory as another one, or in its own twice.</exception>
    public Registration(Module model, IEnumerable<PrunedLayer> layers)
    {
        _model = model;
        var masked = layers.SelectMany(layer => layer.Weight.Parameters).Select(Address.OfNative).ToHashSet();
        _masked = ModelParameters.Of(model).Where(pair => masked.Contains(Address.OfNative(pair.Parameter)))
            .ToDictionary(pair => pair.Name, pair => Address.OfNative(pair.Parameter), StringComparer.Ordinal);

        Footprint[] footprints =
        [
            .. ModelParameters.Of(model).Where(pair => Footprint.IsKnown(pair.Parameter)).DistinctBy(pair => Address.OfNative(pair.Parameter))
                .Select(pair => new Footprint(pair.Name, pair.Parameter)).OrderBy(footprint => footprint.Low),
        ];
        foreach (var footprint in footprints.Where(footprint => masked.Contains(footprint.Self) && footprint.IsFolded))
            throw new ArgumentException($"'{footprint.Name}' has elements that share memory, as expanded tensors have: make the parameter of a clone, or exclude it.");
        RequireApart(footprints, masked);
    }

    /// <summary>Checks that the names still stand for the parameters that are masked.</summary>
    /// <exception cref="InvalidOperationException">One doesn't.</exception>
    public void Require()
    {
        var now = ModelParameters.Of(_model).ToDictionary(pair => pair.Name, pair => Address.OfNative(pair.Parameter), StringComparer.Ordinal);
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
                    throw new ArgumentException($"'{one.Name}' and '{other.Name}' are two parameters on the same memory, and a mask sees the gradient of one alone: register the same Parameter under both names, make one of a clone, or exclude both.");
            }
        }
    }
}
