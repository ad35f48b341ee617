using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>Makes tensors by which code counts a change of a parameter that autograd would not see.</summary>
internal static class SharedVersion
{
    /// <summary>A tensor without elements whose in-place operations count as changes of the parameter; the caller's.</summary>
    public static Tensor Of(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var view = parameter.detach().as_strided([0], [1]);
        // As a view it would keep the memory of a parameter that is given another one, as shrinking and packing a model do.
        view.set_(empty(0, parameter.dtype, parameter.device));
        return view.DetachFromDisposeScope();
    }
}
