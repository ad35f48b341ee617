using System.Net;
using Pdp.Samples.Tests;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>Reads files with the Python of the documentation, and computes their hash as it says.</summary>
public sealed class SparseFilePythonTests
{
    // What safetensors.numpy.load_file does, for machines without that package, and a file of bytes for each tensor.
    private const string Before = """
        import hashlib, json, math, sys
        import numpy as np
        path, folder = sys.argv[1:]
        data = open(path, "rb").read()
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        m = header.pop("__metadata__")
        types = dict(F64="f8", F32="f4", F16="f2", BF16="u2", I64="i8", I32="i4", I16="i2", I8="i1", U8="u1", BOOL="?")
        part = lambda e: data[end + e["data_offsets"][0]:end + e["data_offsets"][1]]
        t = {name: np.frombuffer(part(e), types[e["dtype"]]).reshape(e["shape"]) for name, e in header.items()}
        sha = hashlib.sha256()
        for key in sorted(m):
            if key != "pdp.sha256":
                sha.update(f"{key}={m[key]}\n".encode())
        for name in sorted(header):
            sha.update(f"{name} {header[name]['dtype']} {header[name]['shape']}\n".encode() + part(header[name]))
        assert sha.hexdigest() == m["pdp.sha256"], "the hash"

        """;

    private const string After = """

        for name, tensor in t.items():
            open(f"{folder}/{name}", "wb").write(repr(list(tensor.shape)).encode() + tensor.tobytes())
        """;

    [PythonFact]
    public void Python_OfTheDocumentation_ReadsEveryLayout()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var model = new Bag(
            ("dense", Bag.Random([30, 20], ScalarType.Float64, 0, 1)),
            ("vector", Bag.Random([5], ScalarType.Float32, 0, 1)),
            ("scalar", tensor(3L)),
            ("empty", zeros(0, 3)),
            ("half", Bag.Random([31, 33], ScalarType.Float32, 0.5, 2)),
            ("rare", Bag.Random([31, 33, 3], ScalarType.Float32, 0.9, 3)),
            ("rarer", Bag.Random([31, 330], ScalarType.BFloat16, 0.99, 4)),
            ("nothing", zeros([310, 33], ScalarType.Int16)),
            ("pairs", tensor(Enumerable.Range(0, 800).Select(i =>
                i / 4 * 7 % 4 == i % 4 || i / 4 * 7 % 4 == (i + 1) % 4 ? i + 1f : 0).ToArray()).reshape(20, 40)),
            ("convolution", tensor(Enumerable.Range(0, 720).Select(i => i / 18 % 2 == 0 ? i + 1f : 0).ToArray()).reshape(10, 8, 3, 3)));
        SparseFile.Save(model, folder.File("model"));

        PythonFactAttribute.Run(Before + Documented() + After, folder.File("model"), folder.Path);

        Assert.Equal(["convolution.indices", "half.bitmask", "nothing.positions", "pairs.indices", "rare.positions", "rarer.positions"],
            Training.Safetensors.Load(folder.File("model")).Keys.Where(name => name.EndsWith('s')
                && name.Contains('.', StringComparison.Ordinal) || name.EndsWith("mask", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in model.state_dict())
        {
            byte[] expected =
                [.. System.Text.Encoding.UTF8.GetBytes($"[{string.Join(", ", tensor.shape)}]"), .. tensor.numel() == 0 ? [] : tensor.bytes];
            Assert.Equal(expected, File.ReadAllBytes(folder.File(name)));
        }
    }

    private static string Documented()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root!, "src/Pdp.Sparse/Files/SparseFile.cs"))
            .SkipWhile(line => line != "/// <code language=\"python\">").Skip(1).TakeWhile(line => line != "/// </code>");
        return WebUtility.HtmlDecode(string.Join('\n', lines.Select(line => line[4..])));
    }
}
