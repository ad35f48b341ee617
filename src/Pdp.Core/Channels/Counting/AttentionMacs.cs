using Pdp.Channels.Probing.Running;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Channels.Counting;

/// <summary>Counts the multiply-accumulates of TorchSharp's attention modules, whose layers aren't separate modules.</summary>
internal sealed class AttentionMacs
{
    private readonly List<LayerMacs> _parts = [];

    /// <summary>The MACs of all calls so far.</summary>
    public IReadOnlyList<LayerMacs> Parts => _parts;

    /// <summary>Watches the calls of a module. Returns an action that removes the hook.</summary>
    public Action Watch(string name, MultiheadAttention attention) =>
        attention.register_forward_hook((_, query, key, value, _, _, _, output) =>
        {
            Note(name, query, key, value, output.Item1);
            return output;
        }).remove;

    /// <summary>Inputs are <c>[tokens, batch, width]</c>, or <c>[tokens, width]</c>.</summary>
    private void Note(string name, Tensor query, Tensor key, Tensor value, Tensor output)
    {
        var (width, queries, keys) = (output.shape[^1], query.shape[0], key.shape[0]);
        var batch = query.dim() == 3 ? query.shape[1] : 1;
        Add("q", "in_proj_weight", [width, query.shape[^1]], queries * batch);
        Add("k", "in_proj_weight", [width, key.shape[^1]], keys * batch);
        Add("v", "in_proj_weight", [width, value.shape[^1]], keys * batch);
        Add("q·kᵀ", "", [queries, keys, width], batch);
        Add("p·v", "", [queries, keys, width], batch);
        Add("out", "out_proj.weight", [width, width], queries * batch);

        void Add(string part, string weight, long[] shape, long positions) =>
            _parts.Add(new()
            {
                Name = $"{name} {part}",
                Weight = weight.Length == 0 ? "" : ProbedLayer.Dotted(name, weight),
                Shape = shape,
                Positions = positions,
            });
    }
}
