using Pdp.Samples.Tests;
using Pdp.Sparse.Files;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>Files that contradict themselves, with the hash that belongs to them; each must be refused by name.</summary>
public sealed class SparseFileDamageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Bag _model = new(
        ("rare", Bag.Random([40, 50], ScalarType.Float32, 0.9, 1)),
        ("half", Bag.Random([41, 43], ScalarType.Float32, 0.5, 1)),
        ("pairs", tensor(Enumerable.Range(0, 800).Select(i => i % 4 < 2 ? i + 1f : 0).ToArray()).reshape(20, 40)),
        ("bias", ones(3)));

    private string Path => _folder.File("model.sparse.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_OfARewrittenFile_Succeeds()
    {
        Rewrite((_, _) => { });

        var result = SparseFile.Load(_model, Path);

        Assert.Empty(result.Missing);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "no metadata", "has no metadata for 'rare', which is in parts" },
        { "no places", "has 0 of the parts that say where the values of 'rare' are" },
        { "two places", "has 2 of the parts that say where the values of 'rare' are" },
        { "F32 40 5e1", "has metadata for 'rare', 'F32 40 5e1', that are not a type and a shape below 2^63 bytes" },
        { "F32 40 -50", "has metadata for 'rare', 'F32 40 -50', that are not" },
        { "F32  2000", "has metadata for 'rare', 'F32  2000', that are not" },
        { "F32 2147483648 1073741824", "has metadata for 'rare', 'F32 2147483648 1073741824', that are not" },
        { "F32 0 9223372036854775807", "has metadata for 'rare', 'F32 0 9223372036854775807', that are not" },
        { "F8 40 50", "has metadata for 'rare', 'F8 40 50', that are not" },
        { "", "has metadata for 'rare', '', that are not" },
        { "F32 50 40", "'rare' is Float32 [50, 40] where the model has Float32 [40, 50]" },
        { "F32 1073741824 1073741824", "'rare' is Float32 [1073741824, 1073741824] where the model has Float32 [40, 50]" },
        { "I32 40 50", "has values of Float32 for 'rare', of Int32" },
        { "other type", "'rare' is Int32 [40, 50] where the model has Float32 [40, 50]" },
        { "places of floats", "has a 'rare.positions' that is not a vector of U8" },
        { "too many values", "has 2001 values for the 2000 elements of 'rare'" },
        { "a value too many", "has positions that don't match its values" },
        { "a value too few", "has positions that don't match its values" },
        { "same place twice", "has positions that don't match its values" },
        { "a bit too many", "has a 'half.bitmask' that doesn't place" },
        { "a bit beyond the end", "has a 'half.bitmask' that doesn't place" },
        { "a byte too many", "has a 'half.bitmask' that doesn't place" },
        { "same index twice", "has indices that are not two of every four" },
        { "indices too short", "has indices that are not two of every four" },
        { "pairs of a vector", "has 'pairs' as two of four, with 1 dimensions" },
        { "twice", "has 'rare' both as it is and in parts or a block" },
        { "vector twice", "has 'bias' both as it is and in parts or a block" },
        { "no block", "has no vector 'pdp.F32' for 'bias', which its metadata name" },
        { "block of integers", "has no vector 'pdp.F32' for 'bias', which its metadata name" },
        { "block of rows", "has no vector 'pdp.F32' for 'bias', which its metadata name" },
        { "short block", "has a 'pdp.F32' that ends before 'bias' does" },
        { "long block", "has a 'pdp.F32' with 1 elements that belong to no tensor" },
        { "unknown block", "'pdp.I64' is not in the model" },
        { "vector of another type", "has no vector 'pdp.F64' for 'bias', which its metadata name" },
        { "unknown part", "'rare.offsets' is not in the model" },
        { "places alone", "'bias.bitmask' is not in the model" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Load_WhenPartsContradictOneAnother_NamesTheTensor(string fault, string expected)
    {
        Rewrite((parts, metadata) => Damage(parts, metadata, fault));
        using var other = new Bag(
            ("rare", ones(40, 50)),
            ("half", ones(41, 43)),
            ("pairs", ones(fault == "pairs of a vector" ? [800] : [20, 40])),
            ("bias", ones(3)));
        var before = Bag.Contents(other);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"'{Path}' ", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Bag.Contents(other));
    }

    [Theory]
    [InlineData("rare.compressed")]
    [InlineData("rare.positions")]
    [InlineData("pdp.F32")]
    public void Load_WhenABitIsNotWhatWasWritten_SaysSo(string part)
    {
        SparseFile.Save(_model, Path);
        var (metadata, stored) = (Safetensors.LoadMetadata(Path), Safetensors.Load(Path));
        stored[part].bytes[^1] ^= 1;
        Safetensors.Save(Path, stored, metadata);

        AssertRefused("was changed since it was written: its hash is not the 'pdp.sha256' of its metadata");
    }

    [Fact]
    public void Load_WhenATypeOrTheMetadataAreNotWhatWasWritten_SaysSo()
    {
        SparseFile.Save(_model, Path);
        var (metadata, stored) = (Safetensors.LoadMetadata(Path), Safetensors.Load(Path));

        Safetensors.Save(Path, stored, new Dictionary<string, string>(metadata) { ["pdp.sparsity"] = "0.99" });
        AssertRefused("was changed since it was written");
        Safetensors.Save(Path, stored, new Dictionary<string, string>(metadata) { ["rare"] = "F32 50 40" });
        AssertRefused("was changed since it was written");
        Safetensors.Save(
            Path, new Dictionary<string, Tensor>(stored) { ["pdp.F32"] = stored["pdp.F32"].to_type(ScalarType.Int32) }, metadata);
        AssertRefused("was changed since it was written");
    }

    [Fact]
    public void Load_OfAnyOtherSafetensorsFile_SaysWhatReadsIt()
    {
        Safetensors.Save(Path, _model.state_dict());

        Assert.False(SparseFile.Recognizes(Path));
        AssertRefused("is not a sparse file, whose metadata have 'pdp.sparse' and 'pdp.sha256'; Safetensors reads any other");
    }

    [Fact]
    public void Recognizes_WhenThereIsNoSafetensorsFile_SaysSo()
    {
        Assert.Throws<ArgumentNullException>("path", () => SparseFile.Recognizes(null!));
        Assert.Throws<FileNotFoundException>(() => SparseFile.Recognizes(Path));
        SparseFile.Save(_model, Path);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^1]);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Recognizes(Path));

        Assert.StartsWith($"'{Path}' ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfALaterFormat_SaysSo()
    {
        SparseFile.Save(_model, Path);
        var (metadata, stored) = (Safetensors.LoadMetadata(Path), Safetensors.Load(Path));
        Safetensors.Save(Path, stored, new Dictionary<string, string>(metadata) { ["pdp.sparse"] = "2" });

        AssertRefused("has the format 2, where this version of Pdp.Sparse reads 1");
    }

    private static void Damage(Dictionary<string, Tensor> parts, Dictionary<string, string> metadata, string fault)
    {
        if (fault.Length == 0 || fault.Contains(' ', StringComparison.Ordinal) && char.IsDigit(fault[1]))
            metadata["rare"] = fault;
        var (values, places, mask, indices) = (
            parts["rare.compressed"], parts["rare.positions"], parts["half.bitmask"], parts["pairs.indices"]);
        switch (fault)
        {
            case "no metadata": metadata.Remove("rare"); break;
            case "no places": parts.Remove("rare.positions"); break;
            case "two places": parts["rare.bitmask"] = places; break;
            case "other type": parts["rare.compressed"] = values.to_type(ScalarType.Int32); metadata["rare"] = "I32 40 50"; break;
            case "places of floats": parts["rare.positions"] = ones(3); break;
            case "too many values": parts["rare.compressed"] = ones(2001); break;
            case "a value too many": parts["rare.compressed"] = cat([values, ones(1)]); break;
            case "a value too few": parts["rare.compressed"] = values[..^1]; break;
            case "same place twice": SamePlaceTwice(places.bytes); break;
            case "a bit too many": mask.bytes[0] = 255; break;
            case "a bit beyond the end": mask.bytes[^1] |= 128; parts["half.compressed"] = cat([parts["half.compressed"], ones(1)]); break;
            case "a byte too many": parts["half.bitmask"] = cat([mask, zeros(1, ScalarType.Byte)]); break;
            case "same index twice": indices.bytes[0] = 0b0100_0000; break;
            case "indices too short": parts["pairs.indices"] = indices[..^1]; break;
            case "pairs of a vector": metadata["pairs"] = "F32 800"; break;
            case "twice": parts["rare"] = ones(40, 50); break;
            case "vector twice": parts["bias"] = ones(3); break;
            case "no block": parts.Remove("pdp.F32"); break;
            case "block of integers": parts["pdp.F32"] = ones(3, ScalarType.Int32); break;
            case "block of rows": parts["pdp.F32"] = ones(1, 3); break;
            case "short block": parts["pdp.F32"] = ones(2); break;
            case "long block": parts["pdp.F32"] = ones(4); break;
            case "unknown block": parts["pdp.I64"] = ones(1, ScalarType.Int64); break;
            case "vector of another type": metadata["bias"] = "F64 3"; break;
            case "unknown part": parts["rare.offsets"] = ones(1); break;
            case "places alone": parts["bias.bitmask"] = ones(1, ScalarType.Byte); break;
        }
    }

    // The first two places become 0: their quotients and their remainders.
    private static void SamePlaceTwice(Span<byte> positions)
    {
        positions[0] = 0b11;
        for (var bit = 0; bit < positions.Length; bit++)
        {
            if (bit > 0 && bit < (200 + (1999 >> 3) + 7) / 8)
                continue;
            positions[bit] &= bit == 0 ? (byte)255 : (byte)0b1111_1100;
        }
    }

    private void Rewrite(Action<Dictionary<string, Tensor>, Dictionary<string, string>> change)
    {
        SparseFile.Save(_model, Path);
        var stored = Safetensors.Load(Path);
        var metadata = Safetensors.LoadMetadata(Path).Where(entry => entry.Key != "pdp.sha256").ToDictionary();
        change(stored, metadata);
        metadata["pdp.sha256"] = FileHash.Of(metadata, stored);
        Safetensors.Save(Path, stored, metadata);
    }

    private void AssertRefused(string expected)
    {
        var before = Bag.Contents(_model);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(_model, Path));

        Assert.Equal($"'{Path}' {expected}", error.Message.TrimEnd('.')[..Math.Min(
            error.Message.TrimEnd('.').Length, Path.Length + 3 + expected.Length)]);
        Assert.Equal(before, Bag.Contents(_model));
    }
}
