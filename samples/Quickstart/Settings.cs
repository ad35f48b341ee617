using System.Globalization;
using Pdp.Masks;

namespace Pdp.Samples.Quickstart;

/// <summary>What a run can be told; each property that can be set is an option of the same name (<c>Sparsity</c>: <c>--sparsity</c>).</summary>
internal sealed record Settings
{
    /// <summary>unstructured, N:M (N kept of every M inputs), or channel.</summary>
    public string Strategy { get; init => field = Parse(value).Name; } = "unstructured";

    /// <summary>The fraction of the weights to remove, in [0, 1). By default 0.9, for channels 0.5, or what N:M comes to.</summary>
    public double? Sparsity
    {
        get => field ?? (MaskStrategy() is Channel ? 0.5 : MaskStrategy().FixedSparsity is null ? 0.9 : null);
        init => field = value is >= 0 and < 1 ? value : throw new ArgumentException($"--sparsity wants a number in [0, 1), not {value}.");
    }

    /// <summary>The epochs of pruning, after the dense ones.</summary>
    public int Epochs { get; init => field = AtLeastOne("--epochs", value); } = 7;

    public int Seed { get; init; }

    public int Threads { get; init => field = AtLeastOne("--threads", value); } = 1;

    /// <summary>The strategy as the library takes it.</summary>
    public IMaskStrategy MaskStrategy() => Parse(Strategy);

    private static IMaskStrategy Parse(string text) => text.Split(':') switch
    {
        ["unstructured"] => new Unstructured(),
        ["channel"] => new Channel(),
        [var n, var m] when Count(n) is { } kept && Count(m) is { } of && kept < of => NofM.Keep(kept, of),
        _ => throw new ArgumentException($"--strategy wants unstructured, channel, or N:M with N below M such as 2:4, not '{text}'."),
    };

    private static int? Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 ? number : null;

    private static int AtLeastOne(string option, int value) =>
        value >= 1 ? value : throw new ArgumentException($"{option} wants a whole number of at least 1, not {value}.");
}
