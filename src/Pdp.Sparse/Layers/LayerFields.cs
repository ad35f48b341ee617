using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Layers;

/// <summary>What TorchSharp 0.107 keeps in private fields of its layers.</summary>
/// <remarks>
/// Setting the property <c>weight</c> disposes of the old weight, and changes both what <c>forward</c> uses and what
/// <c>named_parameters</c> lists. These are two fields: the one that <c>forward</c> reads, and the list of the module's parameters.
/// </remarks>
internal static class LayerFields
{
    /// <summary>The weight that a linear layer or a convolution computes with.</summary>
    public static ref Parameter? Weight(Module layer)
    {
        if (layer is Linear linear)
            return ref WeightOf(linear);
        return ref WeightOf((Convolution)layer);
    }

    /// <summary>The bias of a linear layer or a convolution.</summary>
    public static ref Parameter? Bias(Module layer)
    {
        if (layer is Linear linear)
            return ref BiasOf(linear);
        return ref BiasOf((Convolution)layer);
    }

    /// <summary>The parameters that a module lists as its own.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_params")]
    public static extern ref OrderedDict<string, Parameter> Listed(Module module);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_weight")]
    private static extern ref Parameter? WeightOf(Linear layer);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_weight")]
    private static extern ref Parameter? WeightOf(Convolution layer);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_bias")]
    private static extern ref Parameter? BiasOf(Linear layer);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_bias")]
    private static extern ref Parameter? BiasOf(Convolution layer);
}
