using System.Globalization;

namespace Pdp.Internal;

/// <summary>The messages about errors with a weight during a step.</summary>
internal static class Faults
{
    private const string ZeroFirst = "call optimizer.zero_grad() before pruner.Mask(), not inside the scope";

    public static string NotFinite(string weight) =>
        $"{weight} holds NaN or infinity: lower the learning rate or clip the gradients, and reload the last good checkpoint; if it is a "
            + "constant, such as an attention mask, exclude it.";

    public static string ChangedInside(string weight) =>
        $"{weight} was changed inside the mask scope, and the change is lost: call optimizer.step() after the scope, and load or "
            + "initialize weights outside it.";

    public static string ReturnedInside(string weight) =>
        $"Removed weights of {weight} came back inside the mask scope, and are made zero again: call optimizer.step() after the scope, and "
            + "load or initialize weights outside it.";

    public static string ZeroedInside(string weight) =>
        $"The gradient of '{weight}' was zeroed inside the mask scope, where the gradient of the last step is set aside and therefore "
            + $"remains: {ZeroFirst}.";

    public static string DroppedInside(double epoch) =>
        string.Create(CultureInfo.InvariantCulture,
            $"No gradient was left for training since epoch {epoch}: those that arrived inside the mask scope were dropped before its ")
            + $"end: {ZeroFirst}.";

    public static string NeverZeroed(string weight) =>
        $"'{weight}' was stepped repeatedly with the gradients of earlier steps: {ZeroFirst}.";

    public static string GradientChangedInside(string weight) =>
        $"The gradient of '{weight}' was changed inside the mask scope, where it belongs to the masked weight: clip and scale gradients "
            + "after the scope.";

    public static string MadeInInferenceMode(string name) =>
        $"'{name}' was created under inference_mode and can't be changed outside of it: create the model outside of it.";

    public static string Packed(string weight) =>
        $"{weight} has no elements any more, as in a packed model: call SparseModel.Unpack() before the pruner is used again.";

    public static string Moved(string weight) =>
        $"{weight} was moved or replaced after the pruner was made: make the pruner (and the optimizer) after model.to(…) and after "
            + "parameters are replaced.";
}
