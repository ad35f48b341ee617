using System.Buffers.Binary;
using System.Text;
using Pdp.Samples.Tests;

namespace Pdp.Training.Tests.Files;

/// <summary>Files that are cut off or contradict themselves; each must be refused by name.</summary>
public sealed class SafetensorsDamageTests : IDisposable
{
    private const string Two =
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""";
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("damaged.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_WhenFileIsSound_Succeeds()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        Write(Two, dataLength: 12);

        var tensors = Safetensors.Load(Path);

        Assert.Equal(["a", "b"], tensors.Keys);
    }

    [Theory]
    [InlineData(0, "is 0 bytes long")]
    [InlineData(7, "is 7 bytes long")]
    [InlineData(8, "its header has")]
    [InlineData(60, "its header has")]
    public void Load_WhenCutOffInTheHeader_SaysSo(int length, string expected)
    {
        Write(Two, dataLength: 12);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..length]);

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Load(Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(Path, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(200_000_000)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public void Load_WhenHeaderLengthIsBeyondTheFile_SaysSo(long length)
    {
        Write(Two, dataLength: 12, length);

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Load(Path));

        Assert.Contains($"its header has {(ulong)length} bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{\"a\":", "not JSON")]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", "not JSON")]
    [InlineData("""{"__metadata__":{"epoch":3}}""", "'epoch' that is not text")]
    [InlineData("""{"__metadata__":3}""", "not a JSON object")]
    [InlineData("""{"a":3}""", "'a' by something other than a JSON object")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", "'a' no dtype")]
    [InlineData("""{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}""", "'a' the dtype 'F7'; the supported ones are F64, F32")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", "'a' no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "'a' a shape with '-1'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", "'a' a shape with '1.5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", "'a' no data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "'a' 1 data_offsets instead of two")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", "'a' a data_offsets with '-4'")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        "names 'a' twice")]
    public void Load_WhenHeaderIsMalformed_SaysWhere(string json, string expected)
    {
        Write(json, dataLength: 4);

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Load(Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[2]", "[0,8]", "[1]", "[4,8]", 8, "'b' at byte 4 where 8 was expected")]
    [InlineData("[1]", "[0,4]", "[1]", "[8,12]", 12, "'b' at byte 8 where 4 was expected")]
    [InlineData("[1]", "[4,8]", "[1]", "[8,12]", 12, "'a' at byte 4 where 0 was expected")]
    [InlineData("[1]", "[0,4]", "[1]", "[4,8]", 7, "'b' at bytes 4 to 8, but has 7")]
    [InlineData("[1]", "[0,4]", "[1]", "[8,4]", 8, "'b' at bytes 8 to 4")]
    [InlineData("[1]", "[0,4]", "[1]", "[4,8]", 9, "has 1 bytes after its last tensor")]
    [InlineData("[1]", "[0,4]", "[2]", "[4,8]", 8, "'b' 4 bytes, where Float32 [2] takes 8")]
    [InlineData(
        "[1]", "[0,4]", "[4611686018427387904,4]", "[4,8]", 8, "'b' 4 bytes, where Float32 [4611686018427387904, 4] takes more than")]
    [InlineData("[1]", "[0,4]", "[0,4611686018427387904,4]", "[4,4]", 4, "'b' 0 bytes")]
    public void Load_WhenOffsetsLie_NamesTheTensor(
        string shapeA, string offsetsA, string shapeB, string offsetsB, int dataLength, string expected)
    {
        Write($"{{{Entry("a", shapeA, offsetsA)},{Entry("b", shapeB, offsetsB)}}}", dataLength);

        var error = Assert.Throws<InvalidDataException>(() => Safetensors.Load(Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static string Entry(string name, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"F32","shape":{{shape}},"data_offsets":{{offsets}} }
        """;

    private void Write(string json, int dataLength, long? headerLength = null)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var prefix = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, headerLength ?? header.Length);
        File.WriteAllBytes(Path, [.. prefix, .. header, .. new byte[dataLength]]);
    }
}
