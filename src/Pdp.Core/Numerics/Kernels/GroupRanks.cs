using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Pdp.Numerics.Kernels;

/// <summary>Two neighbouring order statistics of each of many short groups, whose members are contiguous in memory.</summary>
internal static unsafe class GroupRanks
{
    /// <summary>The most members of a group, as each is compared with every other.</summary>
    private const int MostMembers = 32;

    /// <summary>
    /// The number at a rank, counted from 1, and the one at the next rank; null if the kernel doesn't support the tensor, or if a number is
    /// negative or not finite.
    /// </summary>
    /// <param name="numbers"><c>[groups, members]</c>.</param>
    /// <param name="rank">The rank, in [1, members).</param>
    /// <returns>Each <c>[groups, 1]</c>.</returns>
    public static (Tensor Lower, Tensor Upper)? Of(Tensor numbers, long rank)
    {
        var (groups, members) = (numbers.shape[0], numbers.shape[1]);
        if (!NativeTensor.IsSupported || members > MostMembers)
            return null;
        var keys = (int*)NativeTensor.Elements(numbers.Handle, groups * members);
        if (keys is null)
            return null;

        var (lower, upper) = (numbers.new_empty(groups, 1), numbers.new_empty(groups, 1));
        var below = NativeTensor.Elements(lower.Handle, groups);
        var above = NativeTensor.Elements(upper.Handle, groups);
        var isFound = Find(keys, groups, (int)members, rank, below, above);
        GC.KeepAlive(numbers);
        return isFound ? (lower, upper) : null;
    }

    /// <summary>Writes both numbers; false if a number is negative, −0 or not finite.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static bool Find(int* keys, long groups, int members, long rank, float* lower, float* upper)
    {
        var largest = 0u;
        for (var group = 0L; group < groups; group++, keys += members)
        {
            for (var member = 0; member < members; member++)
            {
                var (key, place) = (keys[member], 0);
                for (var other = 0; other < members; other++)
                    place += keys[other] < key || (keys[other] == key && other < member) ? 1 : 0;
                if (place == rank - 1)
                    lower[group] = BitConverter.Int32BitsToSingle(key);
                if (place == rank)
                    upper[group] = BitConverter.Int32BitsToSingle(key);
                largest = Math.Max(largest, (uint)key);
            }
        }

        return largest < KeyScan.Infinity;
    }
}
