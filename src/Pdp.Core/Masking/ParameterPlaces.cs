using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The types and devices that parameters had when a mask was attached to them.</summary>
/// <param name="weight">The weight's name in messages.</param>
/// <param name="parameters">The parameters.</param>
internal sealed class ParameterPlaces(string weight, params Parameter[] parameters)
{
    private readonly (ScalarType Type, DeviceType Device, int Index)[] _places = [.. parameters.Select(PlaceOf)];

    /// <summary>Checks that all still exist and have elements, with the same type, on the same device.</summary>
    /// <exception cref="InvalidOperationException">One doesn't.</exception>
    public void Require()
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            if (!parameters[i].IsInvalid && parameters[i].numel() == 0)
                throw new InvalidOperationException(Faults.Packed(weight));
            if (parameters[i].IsInvalid || PlaceOf(parameters[i]) != _places[i])
                throw new InvalidOperationException(Faults.Moved(weight));
        }
    }

    private static (ScalarType Type, DeviceType Device, int Index) PlaceOf(Parameter parameter) =>
        (parameter.dtype, parameter.device_type, parameter.device_index);
}
