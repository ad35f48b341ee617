using Pdp.Internal;
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
        _nothing ??= SharedVersion.Of(parameter);
        _nothing.neg_();
    }

    public void Dispose() => _nothing?.Dispose();
}
