using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>Refuses parameters created under inference_mode: asked for their version, as in every step, they end the process.</summary>
internal static class InferenceMode
{
    /// <summary>Checks that a parameter can be trained outside of inference_mode; changes nothing.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="parameter">The parameter, of a floating-point type.</param>
    /// <param name="argument">The argument that it came with.</param>
    /// <exception cref="ArgumentException">It was created under inference_mode.</exception>
    public static void Refuse(string name, Tensor parameter, string argument)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode(false);
        try
        {
            // TorchSharp can't say so: only an alias that is asked to require gradients does.
            parameter.detach().requires_grad_(true);
        }
        catch (ExternalException fault)
        {
            throw new ArgumentException(Faults.MadeInInferenceMode(name), argument, fault);
        }
    }
}
