using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>
/// Tells autograd that a parameter changed, as writing to its memory doesn't: a backward pass over old values then fails.
/// </summary>
internal sealed class VersionMark(Parameter parameter) : IDisposable
{
    private Tensor? _nothing;

    public void Change()
    {
        // An in-place operation on an empty view, which shares the parameter's version counter and allocates nothing.
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
