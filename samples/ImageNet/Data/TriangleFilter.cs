namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// The source pixels that go into each pixel of a resized row or column, and their weights: bilinear with antialiasing as
/// Pillow's Resample.c defines it, to the last bit. The triangle is as wide as the reduction asks for, and ends where the
/// stretch that is resized ends.
/// </summary>
internal sealed class TriangleFilter(int side)
{
    /// <summary>The fractional bits of weights: 1 is 2²².</summary>
    public const int Precision = 22;

    private readonly int[] _starts = new int[side];
    private int[] _weights = [];

    /// <summary>The first source pixel that is needed.</summary>
    public int First { get; private set; }

    /// <summary>The source pixels that are needed from there on.</summary>
    public int Length { get; private set; }

    /// <summary>The weights of each pixel.</summary>
    public int Taps { get; private set; }

    /// <summary>The source pixel of each pixel's first weight, counted from <see cref="First"/>.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <summary>The weights, <see cref="Taps"/> for each pixel.</summary>
    public ReadOnlySpan<int> Weights => _weights.AsSpan(0, side * Taps);

    /// <summary>Computes all of it again.</summary>
    public void Set(Axis axis)
    {
        var low = (int)Math.Floor(axis.Origin);
        var length = (int)Math.Ceiling(axis.Origin + axis.Length) - low;
        var scale = axis.Length / axis.Size;
        var support = Math.Max(scale, 1);
        Taps = Math.Min(length, (int)Math.Ceiling(2 * support));
        if (_weights.Length < side * Taps)
        {
            _weights = new int[side * Taps];
        }

        for (var i = 0; i < side; i++)
        {
            var place = axis.Skip + (axis.IsMirrored ? side - 1 - i : i);
            var centre = axis.Origin - low + ((place + 0.5) * scale);
            _starts[i] = Math.Clamp((int)(centre - support + 0.5), 0, length - Taps);
            Weigh(_weights.AsSpan(i * Taps, Taps), _starts[i] - centre + 0.5, support);
        }

        CountFromFirst(low);
    }

    // The weights add up to 1, up to rounding.
    private static void Weigh(Span<int> weights, double first, double support)
    {
        var sum = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += Triangle((i + first) / support);
        }

        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = (int)(0.5 + (Triangle((i + first) / support) / sum * (1 << Precision)));
        }
    }

    private static double Triangle(double x) => Math.Max(0, 1 - Math.Abs(x));

    private void CountFromFirst(int low)
    {
        var (first, last) = (Math.Min(_starts[0], _starts[^1]), Math.Max(_starts[0], _starts[^1]));
        foreach (ref var start in _starts.AsSpan())
        {
            start -= first;
        }

        First = low + first;
        Length = last - first + Taps;
    }
}
