using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>Weights to select from, and the rank that pruning would ask for.</summary>
internal static class Weights
{
    public static readonly string[] Kinds = ["normal", "heavy-tailed", "quantised", "sparse"];

    /// <summary>Numbers of a kind; the caller's.</summary>
    public static Tensor Of(string kind, long count)
    {
        using var scope = NewDisposeScope();
        var normal = randn(count);
        var weights = kind switch
        {
            "heavy-tailed" => normal.mul(normal).mul(normal),
            "quantised" => normal.mul(tensor(16f)).round().div(tensor(16f)),
            "sparse" => normal.mul(rand(count).ge(tensor(0.8f))),
            _ => normal,
        };
        return weights.MoveToOuterDisposeScope();
    }

    /// <summary>The same weights a step of training later; the caller's.</summary>
    /// <remarks>Each moves by a thousandth of their spread, zeros and levels stay what they are.</remarks>
    public static Tensor Later(string kind, Tensor weights)
    {
        using var scope = NewDisposeScope();
        return kind switch
        {
            "quantised" => weights.clone().MoveToOuterDisposeScope(),
            "sparse" => weights.mul(randn_like(weights).mul(tensor(1e-3f)).add(tensor(1f))).MoveToOuterDisposeScope(),
            _ => weights.add(randn_like(weights).mul(tensor(1e-3f))).MoveToOuterDisposeScope(),
        };
    }

    /// <summary>The weights removed: nine of ten.</summary>
    public static long Removed(long count) => count * 9 / 10;
}
