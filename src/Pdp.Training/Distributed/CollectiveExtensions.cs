using System.Text;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>What ranks tell one another besides tensors. All ranks make these calls, as those of <see cref="ICollective"/>.</summary>
public static class CollectiveExtensions
{
    // It refuses text that it would change.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a condition holds on any rank, such as a request to stop; all ranks get the same answer.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="condition">Whether it holds on this rank.</param>
    /// <exception cref="ArgumentNullException"><paramref name="collective"/> is null.</exception>
    public static bool Any(this ICollective collective, bool condition)
    {
        ArgumentNullException.ThrowIfNull(collective);
        using var scope = NewDisposeScope();
        var count = tensor(condition ? 1L : 0L, ScalarType.Int64, CPU);
        collective.Sum(count);
        return count.ReadCpuInt64(0) > 0;
    }

    /// <summary>Gives every rank the texts of all.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="text">The text of this rank.</param>
    /// <returns>The texts, by rank.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="text"/> contains half of a surrogate pair.</exception>
    public static IReadOnlyList<string> Gather(this ICollective collective, string text)
    {
        ArgumentNullException.ThrowIfNull(collective);
        ArgumentNullException.ThrowIfNull(text);
        return [.. Enumerable.Range(0, collective.Size).Select(rank => TextOf(collective, text, rank))];
    }

    /// <summary>Gives every rank the text of rank 0.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="text">The text; only that of rank 0 counts.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="text"/> contains half of a surrogate pair.</exception>
    public static string Broadcast(this ICollective collective, string text)
    {
        ArgumentNullException.ThrowIfNull(collective);
        ArgumentNullException.ThrowIfNull(text);
        return TextOf(collective, text, root: 0);
    }

    /// <summary>
    /// The number of this rank among those on its machine, and how many these are, by the machine's name: to choose a GPU, and to divide
    /// the cores.
    /// </summary>
    /// <param name="collective">The ranks.</param>
    /// <exception cref="ArgumentNullException"><paramref name="collective"/> is null.</exception>
    public static (int Rank, int Size) LocalRankAndSize(this ICollective collective)
    {
        ArgumentNullException.ThrowIfNull(collective);
        var machines = collective.Gather(Environment.MachineName);
        return (machines.Take(collective.Rank).Count(IsThis), machines.Count(IsThis));
    }

    private static bool IsThis(string machine) => machine == Environment.MachineName;

    private static string TextOf(ICollective collective, string text, int root)
    {
        using var scope = NewDisposeScope();
        var own = Utf8.GetBytes(text);
        var length = tensor((long)own.Length, ScalarType.Int64, CPU);
        collective.Broadcast(length, root);
        var bytes = zeros(length.ReadCpuInt64(0), ScalarType.Byte, CPU);
        if (collective.Rank == root)
        {
            own.CopyTo(bytes.bytes);
        }

        collective.Broadcast(bytes, root);
        var result = Utf8.GetString(bytes.bytes);
        GC.KeepAlive(bytes);
        return result;
    }
}
