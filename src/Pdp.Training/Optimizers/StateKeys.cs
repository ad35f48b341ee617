namespace Pdp.Training.Optimizers;

/// <summary>The names in an optimizer's state.</summary>
internal static class StateKeys
{
    public const string LearningRate = "learning_rate";
    public const string InitialLearningRate = "initial_learning_rate";

    public static string Step(string parameter) => Of(parameter, "step");

    public static string Of(string parameter, string state) => $"{parameter}.{state}";
}
