using System.Numerics;
using static TorchSharp.torch;

namespace Pdp.Samples.Quickstart;

/// <summary>The digits 0 to 9, drawn by a shaky hand on dirty paper; the seed alone decides each pixel. It owns its tensors.</summary>
internal sealed class DrawnImages : IDisposable
{
    private const int Side = 28;
    private const float Unit = 3.3f;
    private const float Shake = 0.3f;
    private const float Noise = 0.35f;

    // Each digit is one stroke: a column 0 to 4 and a row 0 to 6 for each of its points.
    private static readonly Vector2[][] Digits = [.. new[]
    {
        "20 10 01 05 16 26 36 45 41 30 20", "02 20 26", "01 10 30 41 42 06 46", "01 10 30 41 42 23 44 45 36 16 05", "44 04 30 36",
        "40 10 03 33 44 45 36 06", "30 02 05 16 36 45 44 33 13 04", "00 40 16", "23 02 01 10 30 41 42 23 04 05 16 36 45 44 23",
        "42 33 13 02 01 10 30 41 43 26",
    }.Select(stroke => stroke.Split(' ').Select(point => new Vector2(point[0] - '2', point[1] - '3')).ToArray())];

    public DrawnImages(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new float[count * Side * Side];
        var labels = new long[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = i % Digits.Length;
            Draw(Digits[labels[i]], random, pixels.AsSpan(i * Side * Side, Side * Side));
        }

        Count = count;
        Pictures = tensor(pixels, [count, 1, Side, Side]).DetachFromDisposeScope();
        Labels = tensor(labels).DetachFromDisposeScope();
    }

    public int Count { get; }

    /// <summary>Grey values of about 0 to 1, [count, 1, 28, 28].</summary>
    public Tensor Pictures { get; }

    /// <summary>The digits, [count].</summary>
    public Tensor Labels { get; }

    public void Dispose()
    {
        Pictures.Dispose();
        Labels.Dispose();
    }

    private static void Draw(Vector2[] digit, Random random, Span<float> picture)
    {
        var stroke = Place(digit, random);
        var stray = new[] { Anywhere(random), Anywhere(random) };
        var (radius, ink) = (Between(random, 0.6f, 1.5f), Between(random, 0.5f, 1));
        for (var i = 0; i < picture.Length; i++)
        {
            var pixel = new Vector2(i % Side, i / Side);
            var distance = MathF.Min(Distance(pixel, stroke) - radius, Distance(pixel, stray) - 0.5f);
            picture[i] = (ink * Math.Clamp(0.5f - distance, 0, 1)) + Between(random, -Noise, Noise);
        }
    }

    // Shakes the points, then scales, slants, turns and moves the digit, and rounds its corners off.
    private static Vector2[] Place(Vector2[] digit, Random random)
    {
        var place = Matrix3x2.CreateScale(Unit * Between(random, 0.6f, 1.1f), Unit * Between(random, 0.7f, 1.1f))
            * Matrix3x2.CreateSkew(Between(random, -0.35f, 0.35f), 0)
            * Matrix3x2.CreateRotation(Between(random, -0.4f, 0.4f))
            * Matrix3x2.CreateTranslation(Between(random, 11, 16), Between(random, 11, 16));
        Vector2[] points = [.. digit.Select(point => Vector2.Transform(point + Shaken(random), place))];
        var corners = points.Zip(points.Skip(1)).SelectMany(side =>
            new[] { Vector2.Lerp(side.First, side.Second, 0.25f), Vector2.Lerp(side.First, side.Second, 0.75f) });
        return [points[0], .. corners, points[^1]];
    }

    private static float Distance(Vector2 pixel, Vector2[] stroke)
    {
        var nearest = float.MaxValue;
        for (var i = 1; i < stroke.Length; i++)
        {
            var (start, side) = (stroke[i - 1], stroke[i] - stroke[i - 1]);
            var along = Math.Clamp(Vector2.Dot(pixel - start, side) / (side.LengthSquared() + 1e-6f), 0, 1);
            nearest = MathF.Min(nearest, Vector2.DistanceSquared(pixel, start + (along * side)));
        }

        return MathF.Sqrt(nearest);
    }

    private static Vector2 Shaken(Random random) => new(Between(random, -Shake, Shake), Between(random, -Shake, Shake));

    private static Vector2 Anywhere(Random random) => new(Between(random, 0, Side), Between(random, 0, Side));

    private static float Between(Random random, float low, float high) => low + ((high - low) * random.NextSingle());
}
