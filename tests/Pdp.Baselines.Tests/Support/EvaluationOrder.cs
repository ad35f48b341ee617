namespace Pdp.Baselines.Tests.Support;

/// <summary>What is opened first around an evaluation.</summary>
public enum EvaluationOrder
{
    /// <summary>The mask scope, and no_grad in it.</summary>
    MaskFirst,

    /// <summary>no_grad, and the mask scope in it.</summary>
    NoGradFirst,

    /// <summary>inference_mode, and the mask scope in it.</summary>
    InferenceFirst,
}
