using Pdp.Internal;
using TorchSharp.Modules;

namespace Pdp.Layers;

/// <summary>Records which pruner owns which weights: two pruners would undo each other's masks.</summary>
internal static class Ownership
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<nint, WeakReference<object>> Owners = [];

    /// <summary>Claims weights for an owner.</summary>
    /// <exception cref="InvalidOperationException">Another owner has one of them; then none is claimed.</exception>
    public static void Take(object owner, IEnumerable<(string Name, Parameter Parameter)> weights)
    {
        (string Name, nint Address)[] places = [.. weights.Select(weight => (weight.Name, TensorAddress.Of(weight.Parameter)))];
        lock (Gate)
        {
            foreach (var (name, address) in places)
            {
                if (Owners.TryGetValue(address, out var other) && other.TryGetTarget(out _))
                    throw new InvalidOperationException(
                        $"Another pruner already prunes '{name}': dispose it first, as two pruners would undo each other's masks.");
            }

            var reference = new WeakReference<object>(owner);
            foreach (var (_, address) in places)
                Owners[address] = reference;
        }
    }

    /// <summary>The owners of weights, each once.</summary>
    public static IReadOnlyList<object> Of(IEnumerable<Parameter> weights)
    {
        nint[] places = [.. weights.Select(TensorAddress.Of)];
        lock (Gate)
            return [.. places.Select(Owner).OfType<object>().Distinct()];

        static object? Owner(nint place) => Owners.TryGetValue(place, out var owner) && owner.TryGetTarget(out var target) ? target : null;
    }

    /// <summary>Releases everything that an owner has.</summary>
    public static void Release(object owner)
    {
        lock (Gate)
        {
            foreach (var (address, other) in Owners.ToArray())
            {
                if (!other.TryGetTarget(out var target) || ReferenceEquals(target, owner))
                    Owners.Remove(address);
            }
        }
    }
}
