using Pdp.Training.Files;
using static TorchSharp.torch;

namespace Pdp.Sparse.Files;

/// <summary>A tensor of a file that is stored in parts. Its tensors belong to the file's reader.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Signature">Its type and its shape.</param>
/// <param name="Values">Its nonzeros.</param>
/// <param name="Layout">The layout: one of <see cref="Parts.Places"/>.</param>
/// <param name="Places">Where the nonzeros are.</param>
internal sealed record PackedTensor(string Name, Signature Signature, Tensor Values, string Layout, Tensor Places)
{
    /// <summary>The names of the parts.</summary>
    public IEnumerable<string> PartNames => [Name + Parts.Values, Name + Layout];

    private int Width => SafetensorsType.Width(Values.dtype);

    private long[] Shape => Signature.Shape;

    private long Elements => Signature.Elements;

    /// <summary>Puts the parts of a tensor together.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="stored">The tensors of the file.</param>
    /// <param name="signatures">The signatures of tensors.</param>
    /// <exception cref="FormatException">A part is missing, or of another type or shape.</exception>
    public static PackedTensor Find(
        string name, IReadOnlyDictionary<string, Tensor> stored, IReadOnlyDictionary<string, Signature> signatures)
    {
        var layouts = Parts.Places.Where(layout => stored.ContainsKey(name + layout)).ToArray();
        Require(layouts.Length == 1, $"has {layouts.Length} of the parts that say where the values of '{name}' are");
        var (values, places) = (stored[name + Parts.Values], stored[name + layouts[0]]);
        Require(places.dtype == ScalarType.Byte && places.dim() == 1, $"has a '{name}{layouts[0]}' that is not a vector of U8");
        var signature = signatures.GetValueOrDefault(name) ?? throw new FormatException($"has no metadata for '{name}', which is in parts");
        Require(signature.Type == values.dtype, $"has values of {values.dtype} for '{name}', of {signature.Type}");
        var packed = new PackedTensor(name, signature, values, layouts[0], places);
        Require(values.numel() <= packed.Elements, $"has {values.numel()} values for the {packed.Elements} elements of '{name}'");
        return packed;
    }

    /// <summary>The tensor's shape and type on the meta device, without memory.</summary>
    public Tensor Outline() => empty(Shape, dtype: Values.dtype, device: new Device(TorchSharp.DeviceType.META));

    /// <summary>Checks the places.</summary>
    /// <exception cref="FormatException">They don't match the values.</exception>
    public void RequirePlaces()
    {
        Require(Layout != Parts.Indices || Shape.Length >= 2, $"has '{Name}' as two of four, with {Shape.Length} dimensions");
        Mask();
    }

    /// <summary>The tensor itself, whose places were checked.</summary>
    public Tensor Unpack()
    {
        if (Layout != Parts.Indices)
            return Scatter(Shape);
        return Scatter([Shape[0], .. Shape[2..], Shape[1]]).movedim([-1], [1]).contiguous();
    }

    private Tensor Scatter(long[] shape)
    {
        var mask = Mask();
        var unpacked = RawTensor.Filled(shape, Values.dtype, bytes => Bitmask.Scatter(mask, RawTensor.Bytes(Values), Width, bytes));
        GC.KeepAlive(Values);
        return unpacked;
    }

    private byte[] Mask()
    {
        var count = Values.numel();
        var code = RawTensor.Bytes(Places);
        var mask = Layout switch
        {
            Parts.Positions => Positions.Decode(code, Elements, count),
            Parts.Indices => TwoOfFour.Decode(code, Elements),
            _ => code.ToArray(),
        };
        GC.KeepAlive(Places);
        var fits = mask.Length == (Elements + 7) / 8 && (Elements % 8 == 0 || mask[^1] >> (int)(Elements % 8) == 0);
        Require(
            fits && Bitmask.Count(mask) == count,
            $"has a '{Name}{Layout}' that doesn't place {count} values among {Elements} elements");
        return mask;
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new FormatException(otherwise);
    }
}
