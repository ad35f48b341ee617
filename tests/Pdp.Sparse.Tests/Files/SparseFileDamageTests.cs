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
        Rewrite(_ => { });

        var result = SparseFile.Load(_model, Path);

        Assert.Empty(result.Missing);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "no shape", "has no 'rare.shape'" },
        { "no places", "has 0 of the parts that say where the values of 'rare' are" },
        { "two places", "has 2 of the parts that say where the values of 'rare' are" },
        { "shape of floats", "has a 'rare.shape' that is not a vector of I64" },
        { "negative size", "has a 'rare.shape' with a negative size" },
        { "overflow", "has a 'rare.shape' beyond 2^63 bytes" },
        { "other shape", "'rare' is Float32 [50, 40] where the model has Float32 [40, 50]" },
        { "huge shape", "'rare' is Float32 [1073741824, 1073741824] where the model has Float32 [40, 50]" },
        { "other type", "'rare' is Int32 [40, 50] where the model has Float32 [40, 50]" },
        { "places of floats", "has a 'rare.positions' that is not a vector of U8" },
        { "too many values", "has 2001 values for the 2000 elements of 'rare'" },
        { "a value too many", "has positions that are not those of its values" },
        { "a value too few", "has positions that are not those of its values" },
        { "same place twice", "has positions that are not those of its values" },
        { "a bit too many", "has a 'half.bitmask' that is not that of" },
        { "a bit beyond the end", "has a 'half.bitmask' that is not that of" },
        { "a byte too many", "has a 'half.bitmask' that is not that of" },
        { "same index twice", "has indices that are not two of every four" },
        { "indices too short", "has indices that are not two of every four" },
        { "pairs of a vector", "has 'pairs' as two of four, with 1 dimensions" },
        { "twice", "has 'rare' both as it is and packed" },
        { "unknown part", "'rare.offsets' is not in the model" },
        { "places alone", "'bias.bitmask' is not in the model" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Load_WhenPartsContradictOneAnother_NamesTheTensor(string fault, string expected)
    {
        Rewrite(parts => Damage(parts, fault));
        using var other = new Bag(("rare", ones(40, 50)), ("half", ones(41, 43)), ("pairs", ones(fault == "pairs of a vector" ? [800] : [20, 40])), ("bias", ones(3)));
        var before = Bag.Contents(other);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(other, Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"'{Path}' ", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Bag.Contents(other));
    }

    [Theory]
    [InlineData("rare.compressed")]
    [InlineData("rare.positions")]
    [InlineData("bias")]
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
        Safetensors.Save(Path, new Dictionary<string, Tensor>(stored) { ["bias"] = stored["bias"].to_type(ScalarType.Int32) }, metadata);
        AssertRefused("was changed since it was written");
    }

    [Fact]
    public void Load_OfAnyOtherSafetensorsFile_SaysWhatReadsIt()
    {
        Safetensors.Save(Path, _model.state_dict());

        Assert.False(SparseFile.Is(Path));
        AssertRefused("is not a sparse file, whose metadata have 'pdp.sparse' and 'pdp.sha256'; Safetensors reads any other");
    }

    [Fact]
    public void Load_OfALaterFormat_SaysSo()
    {
        SparseFile.Save(_model, Path);
        var (metadata, stored) = (Safetensors.LoadMetadata(Path), Safetensors.Load(Path));
        Safetensors.Save(Path, stored, new Dictionary<string, string>(metadata) { ["pdp.sparse"] = "2" });

        AssertRefused("has the format 2, where this version of Pdp.Sparse reads 1");
    }

    private static void Damage(Dictionary<string, Tensor> parts, string fault)
    {
        var (values, places, mask, indices) = (parts["rare.compressed"], parts["rare.positions"], parts["half.bitmask"], parts["pairs.indices"]);
        switch (fault)
        {
            case "no shape": parts.Remove("rare.shape"); break;
            case "no places": parts.Remove("rare.positions"); break;
            case "two places": parts["rare.bitmask"] = places; break;
            case "shape of floats": parts["rare.shape"] = ones(2); break;
            case "negative size": parts["rare.shape"] = tensor([40L, -50]); break;
            case "overflow": parts["rare.shape"] = tensor([1L << 31, 1L << 30]); break;
            case "other shape": parts["rare.shape"] = tensor([50L, 40]); break;
            case "huge shape": parts["rare.shape"] = tensor([1L << 30, 1L << 30]); break;
            case "other type": parts["rare.compressed"] = values.to_type(ScalarType.Int32); break;
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
            case "pairs of a vector": parts["pairs.shape"] = tensor([800L]); break;
            case "twice": parts["rare"] = ones(40, 50); break;
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

    private void Rewrite(Action<Dictionary<string, Tensor>> change)
    {
        SparseFile.Save(_model, Path);
        var stored = Safetensors.Load(Path);
        change(stored);
        var metadata = Safetensors.LoadMetadata(Path).Where(entry => entry.Key != "pdp.sha256").ToDictionary();
        metadata["pdp.sha256"] = FileHash.Of(metadata, stored);
        Safetensors.Save(Path, stored, metadata);
    }

    private void AssertRefused(string expected)
    {
        var before = Bag.Contents(_model);

        var error = Assert.Throws<InvalidDataException>(() => SparseFile.Load(_model, Path));

        Assert.Equal($"'{Path}' {expected}", error.Message.TrimEnd('.')[..Math.Min(error.Message.TrimEnd('.').Length, Path.Length + 3 + expected.Length)]);
        Assert.Equal(before, Bag.Contents(_model));
    }
}
