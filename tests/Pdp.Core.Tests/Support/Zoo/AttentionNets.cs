using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks with attention made from linear layers.</summary>
internal static class AttentionNets
{
    private static readonly Scalar Half = 0.5;
    private static readonly Scalar One = 1.0;
    private static readonly Scalar Pixels = 64.0;

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        // A head that goes leaves its width to the others, which the view then deals out anew; the same channel of all heads may go.
        new("AttentionByCount", () => Attention(2, -1),
            5, 8) { Groups = ["proj"], Either = ["q k", "v"], Unsupported = ["fc: model"], OtherSizes = [[1, 8], [9, 8]], Features = -1 },
        new("AttentionByWidth", () => Attention(-1, 4),
            5, 8) { Groups = ["q k v", "proj"], Unsupported = ["fc: model"], OtherSizes = [[1, 8], [9, 8]], Features = -1 },
        new("AttentionOfOneHead", () => Attention(1, -1),
            5, 8) { Groups = ["v", "proj"], Either = ["q k"], Unsupported = ["fc: model"], OtherSizes = [[1, 8], [9, 8]], Features = -1 },
        new("Detector", Detector, 3, 16, 16)
        {
            Groups = ["conv1", "conv2 proj"],
            Either = ["q k", "v"],
            Unsupported = ["boxes: model", "classes: model"],
            OtherSizes = [[3, 8, 24]],
            Features = -1,
        },
    ];

    /// <summary>softmax(½·q·kᵀ)·v of each head, <c>[batch, tokens, heads, width]</c> each, side by side.</summary>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v)
    {
        var shares = einsum("bthd,bshd->bhts", q, k).mul(Half).softmax(-1);
        return einsum("bhts,bshd->bthd", shares, v).flatten(2);
    }

    private static Net Attention(long heads, long width)
    {
        var (q, k, v, proj, fc) = (Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 5));
        return new(new { q, k, v, proj, fc }, x =>
        {
            Tensor Heads(Tensor all) => all.view(all.size(0), all.size(1), heads, width);
            x = Attend(Heads(q.call(x)), Heads(k.call(x)), Heads(v.call(x)));
            return fc.call(functional.relu(proj.call(x)));
        });
    }

    /// <summary>Logits beside boxes in pixels, which are of other sizes.</summary>
    private static Net Detector()
    {
        var (conv1, conv2) = (Conv2d(3, 8, 3, stride: 2, padding: 1), Conv2d(8, 8, 3, stride: 2, padding: 1));
        var (q, k, v, proj, boxes, classes) = (Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 8), Linear(8, 4), Linear(8, 3));
        return new(new { conv1, conv2, q, k, v, proj, boxes, classes }, x =>
        {
            static Tensor Heads(Tensor all) => all.view(all.size(0), all.size(1), 2, -1);
            x = functional.relu(conv2.call(functional.relu(conv1.call(x)))).flatten(2).transpose(1, 2);
            x = x.add(proj.call(Attend(Heads(q.call(x)), Heads(k.call(x)), Heads(v.call(x)))), One);
            return cat([boxes.call(x).mul(Pixels), classes.call(x)], -1);
        });
    }
}
