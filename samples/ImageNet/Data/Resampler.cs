using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pdp.Samples.ImageNet.Data;

/// <summary>
/// Resizes RGBA pixels to a square of normalised RGB, first each row, then each column. Between the two and at the end
/// numbers are rounded to whole ones, as Pillow does.
/// </summary>
internal sealed unsafe class Resampler(int side) : IDisposable
{
    private const int Channels = 3;
    private const int Lanes = 4;

    // (value / 255 - mean) / deviation.
    private static readonly Vector128<float> Scale = Vector128.Create(1 / (255 * 0.229f), 1 / (255 * 0.224f), 1 / (255 * 0.225f), 0);
    private static readonly Vector128<float> Offset = Vector128.Create(-0.485f / 0.229f, -0.456f / 0.224f, -0.406f / 0.225f, 0);
    private static readonly Vector128<int> Half = Vector128.Create(1 << (TriangleFilter.Precision - 1));

    private readonly Scratch _between = new();

    /// <summary>Writes all of <paramref name="target"/>: row, column, channel.</summary>
    /// <param name="pixels">The first pixel that both filters need.</param>
    /// <param name="rowBytes">From one row to the next.</param>
    /// <param name="horizontal">The weights of each column.</param>
    /// <param name="vertical">The weights of each row.</param>
    /// <param name="target">The memory for <c>side * side * 3</c> numbers.</param>
    public void Resize(byte* pixels, int rowBytes, TriangleFilter horizontal, TriangleFilter vertical, Span<float> target)
    {
        var stride = side * Lanes;
        var between = (int*)_between.OfSize((long)vertical.Length * stride * sizeof(int));
        fixed (int* starts = horizontal.Starts, weights = horizontal.Weights)
        {
            for (var row = 0; row < vertical.Length; row++)
            {
                ResizeRow(pixels + ((long)row * rowBytes), starts, weights, horizontal.Taps, between + ((long)row * stride));
            }
        }

        for (var row = 0; row < side; row++)
        {
            var weights = vertical.Weights.Slice(row * vertical.Taps, vertical.Taps);
            WriteRow(between + ((long)vertical.Starts[row] * stride), weights, target.Slice(row * side * Channels, side * Channels));
        }
    }

    public void Dispose() => _between.Dispose();

    private void ResizeRow(byte* source, int* starts, int* weights, int taps, int* target)
    {
        for (var column = 0; column < side; column++, weights += taps, target += Lanes)
        {
            var pixel = source + (starts[column] * Lanes);
            var sum = Half;
            for (var tap = 0; tap < taps; tap++)
            {
                sum += Load(pixel + (tap * Lanes)) * weights[tap];
            }

            (sum >> TriangleFilter.Precision).Store(target);
        }
    }

    // Four lanes are stored for three channels; the next pixel overwrites the fourth, and the last one stops short.
    private void WriteRow(int* source, ReadOnlySpan<int> weights, Span<float> target)
    {
        fixed (float* first = target)
        {
            for (var column = 0; column < side - 1; column++)
            {
                Normalised(source + (column * Lanes), weights).Store(first + (column * Channels));
            }
        }

        var last = Normalised(source + ((side - 1) * Lanes), weights);
        for (var channel = 0; channel < Channels; channel++)
        {
            target[((side - 1) * Channels) + channel] = last[channel];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> Normalised(int* column, ReadOnlySpan<int> weights)
    {
        var sum = Half;
        foreach (var weight in weights)
        {
            sum += Vector128.Load(column) * weight;
            column += side * Lanes;
        }

        var value = Vector128.ConvertToSingle(sum >> TriangleFilter.Precision);
        return Vector128.FusedMultiplyAdd(value, Scale, Offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Load(byte* pixel)
    {
        var bytes = Vector128.CreateScalarUnsafe(*(uint*)pixel).AsByte();
        return Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32();
    }
}
