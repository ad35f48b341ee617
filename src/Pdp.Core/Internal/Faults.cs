namespace Pdp.Internal;

/// <summary>What can go wrong with a weight during a step, in words.</summary>
internal static class Faults
{
    public static string NotFinite(string weight) =>
        $"{weight} holds NaN or infinity: lower the learning rate or clip the gradients, and reload the last good checkpoint; if it is a constant, such as an attention mask, exclude it.";

    public static string ChangedInside(string weight) =>
        $"{weight} was changed inside the mask scope, and the change is lost: call optimizer.step() after the scope, not in it.";

    public static string Moved(string weight) =>
        $"{weight} was moved or replaced after the pruner was made: make the pruner (and the optimizer) after model.to(…).";
}
