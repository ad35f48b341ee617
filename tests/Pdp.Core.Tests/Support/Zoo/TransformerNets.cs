using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Transformer blocks and their kin, whose norms mix the channels of the residual stream.</summary>
internal static class TransformerNets
{
    private const string Norm = "mix|norm|changes|zero";

    private static readonly Scalar One = 1.0;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        Vit(1) with { Groups = ["fc1"], Unsupported = ["q: ", "k: ", "v: ", .. Stream, "head: model"] },
        Vit(2) with { Groups = ["q k v", "fc1"], Unsupported = [.. Stream, "head: model"] },
        Vit(4) with { Groups = ["q k v", "fc1"], Unsupported = [.. Stream, "head: model"] },
        Bert(1) with
        {
            Groups = ["v", "fc1"],
            Unsupported = ["q: ", "k: ", "proj: mix|norm|changes|zero", "fc2: mix|norm|changes|zero", "head: model"],
        },
        Bert(2) with
        {
            Groups = ["fc1"],
            Either = ["v"],
            Unsupported = ["q: ", "k: ", "proj: mix|norm|changes|zero", "fc2: mix|norm|changes|zero", "head: model"],
        },
        Bert(4) with
        {
            Groups = ["fc1"],
            Either = ["v"],
            Unsupported = ["q: ", "k: ", "proj: mix|norm|changes|zero", "fc2: mix|norm|changes|zero", "head: model"],
        },
        new("FusedAttention", FusedAttention,
            5, 8) { Groups = ["stem proj"], Either = ["qkv"], Unsupported = ["head: model"], OtherSizes = [[1, 8], [9, 8]], Features = -1 },
        GroupedQuery(heads: 2, width: 4),
        GroupedQuery(heads: 4, width: 4),
        GroupedQuery(heads: 3, width: 8),
        new("Llama", Llama, 5, 8)
        {
            Groups = ["gate up"],
            Unsupported = [$"stem: {Norm}", $"down: {Norm}", "head: model"],
            OtherSizes = [[1, 8], [9, 8]],
            Features = -1,
        },
        new("MultiheadModule", MultiheadModule,
            5, 8) { Groups = ["fc1"], Unsupported = ["stem: ", "head: model"], OtherSizes = [[1, 8], [9, 8]], Features = -1 },
        new("MlpMixer", MlpMixer, 3, 16, 16)
        {
            Groups = ["tokens1", "channels1"],
            Unsupported = [$"patches: {Norm}", "tokens2: ", $"channels2: {Norm}|together", "head: model"],
        },
    ];

    private static string[] Stream => [$"patches: {Norm}", $"proj: {Norm}", $"fc2: {Norm}"];

    /// <summary>Norms in front of attention and of the layers behind, heads told apart by their width (Dosovitskiy et al. 2021).</summary>
    private static ZooCase Vit(int heads) => new($"Vit{heads}", () =>
    {
        var (patches, q, k, v, proj) = (Conv2d(3, 8, 4, stride: 4), Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8));
        var (norm1, norm2, norm3, fc1, fc2, head) = (LayerNorm(8), LayerNorm(8), LayerNorm(8), Linear(8, 12), Linear(12, 8), Linear(8, 5));
        return new Net(new { patches, norm1, q, k, v, proj, norm2, fc1, fc2, norm3, head }, x =>
        {
            Tensor Heads(Tensor all) => all.view(all.size(0), all.size(1), -1, 8 / heads);
            x = patches.call(x).flatten(2).transpose(1, 2);
            var y = norm1.call(x);
            x = x.add(proj.call(AttentionNets.Attend(Heads(q.call(y)), Heads(k.call(y)), Heads(v.call(y)))), One);
            x = x.add(fc2.call(functional.gelu(fc1.call(norm2.call(x)))), One);
            return head.call(norm3.call(x).mean([1]));
        });
    }, 3, 16, 16)
    {
        OtherSizes = [[3, 4, 4], [3, 8, 20]],
    };

    /// <summary>Norms behind attention and the layers, heads told apart by their number (Devlin et al. 2019).</summary>
    private static ZooCase Bert(int heads) => new($"Bert{heads}", () =>
    {
        var (words, q, k, v, proj) = (Embedding(11, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8));
        var (norm1, norm2, fc1, fc2, head) = (LayerNorm(8), LayerNorm(8), Linear(8, 12), Linear(12, 8), Linear(8, 5));
        return new Net(new { words, q, k, v, proj, norm1, fc1, fc2, norm2, head }, tokens =>
        {
            Tensor Heads(Tensor all) => all.view(all.size(0), all.size(1), heads, -1).transpose(1, 2);
            var x = words.call(tokens);
            var y = functional.scaled_dot_product_attention(Heads(q.call(x)), Heads(k.call(x)), Heads(v.call(x)));
            x = norm1.call(x.add(proj.call(y.transpose(1, 2).flatten(2)), One));
            x = norm2.call(x.add(fc2.call(functional.gelu(fc1.call(x))), One));
            return head.call(x.select(1, 0));
        });
    }, 6)
    {
        OtherSizes = [[1], [9]],
        Vocabulary = 11,
    };

    /// <summary>Queries, keys and values out of one layer, dealt out by a view.</summary>
    private static Net FusedAttention()
    {
        var (stem, qkv, proj, head) = (Linear(8, 8), Linear(8, 24), Linear(8, 8), Linear(8, 5));
        return new(new { stem, qkv, proj, head }, x =>
        {
            x = stem.call(x);
            var parts = qkv.call(x).view(x.size(0), x.size(1), 3, 2, -1).unbind(2);
            return head.call(x.add(proj.call(AttentionNets.Attend(parts[0], parts[1], parts[2])), One));
        });
    }

    /// <summary>Two heads of queries for each of keys and values (Ainslie et al. 2023), which can go together.</summary>
    private static ZooCase GroupedQuery(int heads, int width) => new($"GroupedQuery{heads}Of{width}", () =>
    {
        var (stem, q, k, v) = (Linear(8, 8), Linear(8, 2 * heads * width), Linear(8, heads * width), Linear(8, heads * width));
        var (proj, head) = (Linear(2 * heads * width, 8), Linear(8, 5));
        return new Net(new { stem, q, k, v, proj, head }, x =>
        {
            Tensor Heads(Tensor all) => all.view(all.size(0), all.size(1), -1, width);
            x = stem.call(x);
            var keys = Heads(k.call(x)).repeat_interleave(2, 2);
            var values = Heads(v.call(x)).repeat_interleave(2, 2);
            return head.call(x.add(proj.call(AttentionNets.Attend(Heads(q.call(x)), keys, values)), One));
        });
    }, 5, 8)
    {
        Groups = ["stem proj", "v (q k)"],
        Unsupported = ["head: model"],
        OtherSizes = [[1, 8], [9, 8]],
        Features = -1,
    };

    /// <summary>Root mean squares in front of a gated layer (Touvron et al. 2023).</summary>
    private static Net Llama()
    {
        var (stem, scale, gate, up, down, head) = (Linear(8, 8),
            new Learned(8), Linear(8, 12, hasBias: false), Linear(8, 12, hasBias: false), Linear(12, 8, hasBias: false), Linear(8, 5));
        return new(new { stem, scale, gate, up, down, head }, x =>
        {
            Tensor Norm(Tensor all) => all.div(all.mul(all).mean([-1], keepdim: true).sqrt()).mul(scale.value);
            x = stem.call(x);
            var y = Norm(x);
            x = x.add(down.call(functional.silu(gate.call(y)).mul(up.call(y))), One);
            return head.call(Norm(x));
        });
    }

    /// <summary>TorchSharp's own attention, whose weights lie in one parameter.</summary>
    private static Net MultiheadModule()
    {
        var (stem, attention, fc1, head) = (Linear(8, 8), MultiheadAttention(8, 2), Linear(8, 12), Linear(12, 5));
        return new(new { stem, attention, fc1, head }, x =>
        {
            x = stem.call(x).transpose(0, 1);
            var (y, _) = attention.call(x, x, x, null, false, null);
            return head.call(functional.relu(fc1.call(y))).transpose(0, 1);
        });
    }

    /// <summary>Layers over the tokens and over the channels in turn (Tolstikhin et al. 2021).</summary>
    private static Net MlpMixer()
    {
        var (patches, norm1, tokens1, tokens2) = (Conv2d(3, 8, 4, stride: 4), LayerNorm(8), Linear(16, 6), Linear(6, 16));
        var (norm2, channels1, channels2, head) = (LayerNorm(8), Linear(8, 12), Linear(12, 8), Linear(8, 5));
        return new(new { patches, norm1, tokens1, tokens2, norm2, channels1, channels2, head }, x =>
        {
            x = patches.call(x).flatten(2).transpose(1, 2);
            var mixed = tokens2.call(functional.gelu(tokens1.call(norm1.call(x).transpose(1, 2))));
            x = x.add(mixed.transpose(1, 2), One);
            x = x.add(channels2.call(functional.gelu(channels1.call(norm2.call(x)))), One);
            return head.call(x.mean([1]));
        });
    }
}
