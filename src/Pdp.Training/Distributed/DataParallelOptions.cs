using System.Globalization;
using Pdp.Internal;

namespace Pdp.Training;

/// <summary>The settings of <see cref="DataParallel"/>.</summary>
public sealed record DataParallelOptions
{
    private const double Mebibyte = 1 << 20;

    /// <summary>How much of the gradients is summed at once, in MiB; a larger tensor goes alone.</summary>
    /// <value>In (0, ∞); by default 4.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double BucketMebibytes { get; init => field = Guard.Positive(value); } = 4;

    internal long BucketBytes => (long)Math.Min(BucketMebibytes * Mebibyte, long.MaxValue);

    /// <summary>The settings that must be the same on all ranks.</summary>
    internal Dictionary<string, string> ToTexts() => new()
    {
        [$"{nameof(DataParallelOptions)}.{nameof(BucketMebibytes)}"] = BucketMebibytes.ToString(CultureInfo.InvariantCulture),
    };
}
