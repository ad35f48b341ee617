namespace Pdp.Samples.Tests.ImageNet;

/// <summary>
/// Writes a 16×16 JPEG of one colour in CMYK as Adobe's programs do, which SkiaSharp can't: numbers are stored inverted, so
/// that 255 is no ink. Every block holds nothing but its mean.
/// </summary>
internal static class CmykJpeg
{
    private const int Side = 16;

    public static byte[] Flat(params ReadOnlySpan<byte> stored)
    {
        var file = new List<byte> { 0xFF, 0xD8 };
        Segment(file, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]);
        Segment(file, 0xDB, [0, .. Enumerable.Repeat((byte)8, 64)]);
        Segment(file, 0xC0, [8, 0, Side, 0, Side, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
        // Nine lengths of differences, each coded in four bits, and of the rest only "end of block", coded in one.
        Segment(file, 0xC4, [0x00, 0, 0, 0, 9, .. new byte[12], 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        Segment(file, 0xC4, [0x10, 1, .. new byte[15], 0]);
        Segment(file, 0xDA, [4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
        file.AddRange(Blocks(stored));
        file.AddRange([0xFF, 0xD9]);
        return [.. file];
    }

    private static void Segment(List<byte> file, byte marker, byte[] content) =>
        file.AddRange([0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content]);

    private static IEnumerable<byte> Blocks(ReadOnlySpan<byte> stored)
    {
        var bits = "";
        for (var block = 0; block < Side * Side / 64; block++)
        {
            foreach (var value in stored)
            {
                bits += Block(block == 0 ? value - 128 : 0);
            }
        }

        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        return bits.Chunk(8)
            .Select(eight => Convert.ToByte(new string(eight), 2))
            .SelectMany(value => value == 0xFF ? new byte[] { value, 0 } : [value]);
    }

    // A negative difference is written one less, in two's complement.
    private static string Block(int difference)
    {
        var length = Convert.ToString(Math.Abs(difference), 2).Length;
        length = difference == 0 ? 0 : length;
        var code = difference < 0 ? difference + (1 << length) - 1 : difference;
        return Bits(length, 4) + Bits(code, length) + "0";
    }

    private static string Bits(int value, int count) => count == 0 ? "" : Convert.ToString(value, 2).PadLeft(count, '0');
}
