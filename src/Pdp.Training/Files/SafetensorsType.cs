using static TorchSharp.torch;

namespace Pdp.Training.Files;

/// <summary>The element types that both safetensors and TorchSharp support: name in the file, type, bytes of an element.</summary>
internal static class SafetensorsType
{
    private static readonly (string Name, ScalarType Type, int Width)[] Known =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Names => string.Join(", ", Known.Select(known => known.Name));

    public static ScalarType? Find(string name) =>
        Array.FindIndex(Known, known => known.Name == name) is var index and >= 0 ? Known[index].Type : null;

    /// <exception cref="ArgumentException">The format has no such type.</exception>
    public static string Name(ScalarType type) => Of(type).Name;

    /// <exception cref="ArgumentException">The format has no such type.</exception>
    public static int Width(ScalarType type) => Of(type).Width;

    private static (string Name, ScalarType Type, int Width) Of(ScalarType type) =>
        Array.FindIndex(Known, known => known.Type == type) is var index and >= 0
            ? Known[index]
            : throw new ArgumentException($"A safetensors file cannot hold tensors of type {type}; convert them first.", nameof(type));
}
