using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>A weight, and a tensor of a name that no field or buffer has, but a submodule's may.</summary>
internal sealed class Nested : nn.Module
{
    public Nested(string name)
        : base(nameof(Nested))
    {
        register_buffer("weight", zeros(50, 50).DetachFromDisposeScope());
        Extra = (name, zeros(1).DetachFromDisposeScope());
    }

    private (string Name, Tensor Tensor) Extra { get; }

    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        var state = base.state_dict(destination, prefix);
        state.Add(Extra.Name, Extra.Tensor);
        return state;
    }
}
