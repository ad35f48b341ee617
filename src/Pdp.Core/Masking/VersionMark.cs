using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Tells autograd that a parameter changed, which writing to its memory doesn't: a backward pass over the old values is an error then.</summary>
internal sealed class VersionMark(Parameter parameter) : IDisposable
{
    private Tensor? _nothing;

    public void Change()
    {
        // An operation in place on no elements: it shares the parameter's version, and allocates nothing.
        _nothing ??= NothingOf(parameter);
        _nothing.neg_();
    }

    public void Dispose() => _nothing?.Dispose();

    private static Tensor NothingOf(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        return parameter.detach().view(-1).narrow(0, 0, 0).DetachFromDisposeScope();
    }
}
