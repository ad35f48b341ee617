using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Diagnosing;

/// <summary>What changes directly, by code outside of layers, when one channel of a layer does.</summary>
internal sealed class Reach
{
    private readonly Dictionary<Module, SortedSet<long>> _inputs = [];
    private readonly Dictionary<Module, HashSet<long>> _zeros = [];

    /// <summary>The modules that read the change and the changed indices of their input channels, in the order of their calls.</summary>
    public IReadOnlyDictionary<Module, SortedSet<long>> Inputs => _inputs;

    /// <summary>For each dimension but the batch of each of the model's outputs, the changed indices.</summary>
    public IReadOnlyList<long[]> Outputs { get; set; } = [];

    /// <summary>Whether other modules run then, or on inputs of other sizes, or the model fails.</summary>
    public bool IsDiverted { get; set; }

    /// <summary>Whether some channels of a module's input are zero, or didn't change.</summary>
    public bool AreZero(Module module, IEnumerable<long> channels) =>
        !_zeros.TryGetValue(module, out var zeros)
            || channels.All(channel => zeros.Contains(channel) || !_inputs[module].Contains(channel));

    /// <summary>Adds a call of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="changed">The changed indices of its input channels.</param>
    /// <param name="zeros">Those of its input channels that are zero.</param>
    public void Add(Module module, IReadOnlyList<long> changed, IReadOnlyList<long> zeros)
    {
        if (changed.Count == 0)
            return;
        if (_inputs.TryAdd(module, [.. changed]))
        {
            _zeros[module] = [.. zeros];
            return;
        }

        _inputs[module].UnionWith(changed);
        _zeros[module].IntersectWith(zeros);
    }
}
