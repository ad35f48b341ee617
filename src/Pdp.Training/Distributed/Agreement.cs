using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Pdp.Training.Distributed;
using Pdp.Training.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// Checks that ranks hold the same data. Where they don't, every rank throws the same <see cref="InvalidDataException"/>, which names the
/// first difference and the ranks on which it differs from rank 0.
/// </summary>
public static class Agreement
{
    private const char End = '\0';

    /// <summary>Checks that all ranks have the same options, or other texts by name.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="texts">The texts of this rank, without the character '\0'; the order does not matter.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">
    /// A text is null, or a name or a text contains '\0' or half of a surrogate pair.
    /// </exception>
    /// <exception cref="InvalidDataException">Ranks differ.</exception>
    public static void Require(ICollective collective, IReadOnlyDictionary<string, string> texts)
    {
        ArgumentNullException.ThrowIfNull(collective);
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Select(entry => FaultOf(entry.Key, entry.Value)).FirstOrDefault(fault => fault is not null) is { } found)
        {
            throw new ArgumentException(found, nameof(texts));
        }

        var own = string.Concat(texts.Select(entry => $"{entry.Key}{End}{entry.Value}{End}"));
        var all = collective.Gather(own).Select(Parse).ToArray();
        foreach (var name in all.SelectMany(one => one.Keys).Distinct())
        {
            string?[] values = [.. all.Select(one => one.GetValueOrDefault(name))];
            var other = Array.FindIndex(values, value => value != values[0]);
            if (other >= 0)
            {
                throw new InvalidDataException(
                    $"The ranks differ in '{name}': it is {Describe(values[0])} on rank 0, and {Describe(values[other])} on rank {other}.");
            }
        }
    }

    /// <summary>Checks that tensors are the same bit for bit on all ranks, by their hashes: weights, masks, thresholds.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="tensors">The tensors of this rank by name, in the same order on all; the first that differs is reported.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A name or a tensor is null, or a tensor is sparse or on the meta device.</exception>
    /// <exception cref="InvalidDataException">Ranks differ.</exception>
    public static void Require(ICollective collective, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        ArgumentNullException.ThrowIfNull(collective);
        ArgumentNullException.ThrowIfNull(tensors);
        (string Name, Tensor Tensor)[] entries = [.. tensors];
        foreach (var (name, tensor) in entries)
        {
            if (name is null || tensor is null)
            {
                throw new ArgumentException(name is null ? "A name is null." : $"The tensor of '{name}' is null.", nameof(tensors));
            }

            // A view is read only, so that it may be expanded.
            if ((tensor.is_sparse || tensor.device_type == DeviceType.META) && HostMemory.ObstacleOf(tensor) is { } obstacle)
            {
                throw new ArgumentException($"'{name}' {obstacle}", nameof(tensors));
            }
        }

        RequireSameHashes(collective, [HashOf(entries)], _ => "their names, shapes or types");
        RequireSameHashes(collective, [.. entries.Select(entry => HashOf(entry.Tensor))], index => $"'{entries[index].Name}'");
    }

    // Each rank fills its row of a table that is zero elsewhere, so that the sum holds the rows of all.
    private static void RequireSameHashes(ICollective collective, long[] hashes, Func<int, string> name)
    {
        using var scope = NewDisposeScope();
        var table = zeros([collective.Size, hashes.Length], ScalarType.Int64, CPU);
        hashes.CopyTo(RowOf(table, collective.Rank, hashes.Length));
        collective.Sum(table);
        for (var column = 0; column < hashes.Length; column++)
        {
            int[] others = [.. Enumerable.Range(1, collective.Size - 1).Where(rank =>
                RowOf(table, rank, hashes.Length)[column] != RowOf(table, 0, hashes.Length)[column])];
            if (others.Length > 0)
            {
                throw new InvalidDataException(
                    $"The ranks no longer agree. The first to differ is {name(column)}: "
                    + $"it is not the same on rank {string.Join(", ", others)} as on rank 0.");
            }
        }

        GC.KeepAlive(table);
    }

    private static Span<long> RowOf(Tensor table, int rank, int length) =>
        MemoryMarshal.Cast<byte, long>(table.bytes).Slice(rank * length, length);

    private static long HashOf((string Name, Tensor Tensor)[] entries) => Head(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n', entries.Select(entry => $"{entry.Name} {entry.Tensor.dtype} [{string.Join(", ", entry.Tensor.shape)}]")))));

    private static long HashOf(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in TensorPieces.Of(HostMemory.Plain(tensor)))
        {
            hash.AppendData(piece.bytes);
            GC.KeepAlive(piece);
        }

        return Head(hash.GetHashAndReset());
    }

    private static long Head(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadInt64LittleEndian(hash);

    private static string? FaultOf(string name, string? text) =>
        text is null ? $"The text of '{name}' is null: leave it out where it is not set."
        : !name.Contains(End, StringComparison.Ordinal) && !text.Contains(End, StringComparison.Ordinal) ? null
        : $"'{name.Replace("\0", "\\0", StringComparison.Ordinal)}' or its text contains the character '\\0'.";

    private static string Describe(string? value) => value is null ? "not set" : $"'{value}'";

    private static Dictionary<string, string> Parse(string text) =>
        text.Split(End)[..^1].Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}
