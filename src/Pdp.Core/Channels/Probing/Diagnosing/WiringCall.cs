using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Diagnosing;

/// <summary>A recorded call of a module.</summary>
internal sealed record WiringCall(Module Module, Tensor Input, Tensor Output) : IDisposable
{
    /// <summary>Copies the tensors of a call.</summary>
    public static WiringCall Of(Module module, Tensor input, Tensor output) => new(module, Kept(input), Kept(output));

    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
    }

    private static Tensor Kept(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().clone().DetachFromDisposeScope();
    }
}
