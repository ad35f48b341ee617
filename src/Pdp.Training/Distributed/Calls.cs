using System.Text;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>
/// What each rank is about to do with the others, described in words that they compare first: if one sums while another waits at a
/// barrier, or has ended, neither would ever continue.
/// </summary>
internal static class Calls
{
    /// <summary>The bytes of the words, as they are sent. Words for a tensor of more than about 20 dimensions are cut off.</summary>
    public const int Length = 128;

    public const string Barrier = "waits at a barrier";
    public const string End = "has ended its work";

    public static string Sum(Tensor tensor) => $"sums {Kind(tensor)}";

    public static string Broadcast(Tensor tensor, int root) => $"broadcasts {Kind(tensor)} of rank {root}";

    /// <summary>The words as they are sent, padded by zeros.</summary>
    public static byte[] Encode(string call)
    {
        var bytes = new byte[Length];
        Encoding.ASCII.GetBytes(call.AsSpan(0, Math.Min(call.Length, Length)), bytes);
        return bytes;
    }

    /// <summary>The words that all ranks sent, by rank.</summary>
    public static string[] Decode(byte[] sent) =>
        [.. sent.Chunk(Length).Select(bytes => Encoding.ASCII.GetString(bytes).TrimEnd('\0'))];

    /// <summary>Checks that all ranks do the same.</summary>
    /// <param name="calls">What they do, by rank.</param>
    /// <exception cref="InvalidOperationException">They don't.</exception>
    public static void RequireSame(IReadOnlyList<string> calls)
    {
        for (var rank = 1; rank < calls.Count; rank++)
        {
            if (calls[rank] != calls[0])
            {
                throw new InvalidOperationException(
                    $"The ranks must make the same calls in the same order, but rank 0 {calls[0]}, and rank {rank} {calls[rank]}.");
            }
        }
    }

    private static string Kind(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";
}
