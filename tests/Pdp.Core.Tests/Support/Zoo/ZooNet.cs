using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A small network to prune. Its pass reads all widths from layers and tensors, as pruning changes them.</summary>
internal abstract class ZooNet(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>The factor of sums; an implicit one might be collected while it is read.</summary>
    protected static readonly Scalar One = 1.0;

    public sealed override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Pass(input).MoveToOuterDisposeScope();
    }

    /// <summary>The pass, whose temporaries go away after it.</summary>
    protected abstract Tensor Pass(Tensor input);
}
