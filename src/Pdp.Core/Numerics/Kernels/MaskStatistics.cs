namespace Pdp.Numerics.Kernels;

/// <summary>The statistics of a soft mask for a report, from one pass over the weights in memory.</summary>
internal sealed unsafe class MaskStatistics
{
    /// <summary>Masks between this and 1 minus this count as undecided.</summary>
    public const double Undecided = 0.05;

    private const int Unsigned = 0x7fffffff;

    /// <summary>The key of the smallest normal number.</summary>
    private const int Normal = 0x00800000;

    private long _groups;
    private double _thresholds;
    private double _squaredThresholds;
    private double _squaredSharpness;

    /// <summary>The number of weights that are exactly zero.</summary>
    public long Zeros { get; private set; }

    /// <summary>The number of weights that are subnormal.</summary>
    public long Subnormals { get; private set; }

    /// <summary>The number of weights whose masks are undecided.</summary>
    public long Open { get; private set; }

    /// <summary>The number of groups that have more nonzero members than the mask keeps.</summary>
    public long Violations { get; private set; }

    /// <summary>Σ m·|w|.</summary>
    public double Total { get; private set; }

    /// <summary>Σ m·|w| over the weights that the hard mask removes.</summary>
    public double Lost { get; private set; }

    /// <summary>The mean of t over the groups.</summary>
    public double Threshold => _thresholds / _groups;

    /// <summary>The mean of t².</summary>
    public double SquaredThreshold => _squaredThresholds / _groups;

    /// <summary>The mean of t²/τ.</summary>
    public double MeanSharpness => _squaredSharpness / _groups;

    /// <summary>Adds a weight that is one group.</summary>
    /// <param name="weights">The weight.</param>
    /// <param name="count">The number of its elements.</param>
    /// <param name="threshold">t.</param>
    /// <param name="scale">1/√τ.</param>
    /// <param name="removed">How many weights the hard mask removes.</param>
    /// <param name="cut">The key of the largest of them.</param>
    /// <param name="below">How many weights have smaller keys.</param>
    public void AddOne(float* weights, long count, float threshold, float scale, long removed, int cut, long below)
    {
        AddGroup(threshold, scale);
        var ties = removed - below;
        var zeros = Zeros;
        for (var i = 0L; i < count; i++)
        {
            var key = KeyOf(weights[i]);
            Add(key, threshold, scale, isRemoved: key < cut || (key == cut && ties-- > 0));
        }

        Violations += count - (Zeros - zeros) > count - removed ? 1 : 0;
    }

    /// <summary>Adds blocks of groups whose members lie a stride apart.</summary>
    /// <param name="weights">The blocks.</param>
    /// <param name="length">The number of their elements.</param>
    /// <param name="thresholds">t of each.</param>
    /// <param name="scales">1/√τ of each.</param>
    /// <param name="members">M.</param>
    /// <param name="stride">The distance between the members of a group.</param>
    /// <param name="removed">How many members of each group the hard mask removes.</param>
    public void AddGroups(float* weights, long length, float* thresholds, float* scales, int members, int stride, long removed)
    {
        var places = stackalloc long[IGroupBoundaries.MostMembers];
        for (var block = 0L; block < length; block += members * stride)
        {
            for (var first = block; first < block + stride; first++)
            {
                // The key in the upper bits, the position in the lower ones: no two are equal, and they sort as the hard mask does.
                for (var member = 0; member < members; member++)
                    places[member] = ((long)KeyOf(weights[first + (member * stride)]) << 8) | (uint)member;
                AddGroup(places, members, thresholds[first], scales[first], removed);
            }
        }
    }

    private void AddGroup(long* places, int members, float threshold, float scale, long removed)
    {
        AddGroup(threshold, scale);
        var zeros = Zeros;
        for (var member = 0; member < members; member++)
            Add((int)(places[member] >> 8), threshold, scale, isRemoved: RankOf(places[member], places, members) < removed);
        Violations += members - (Zeros - zeros) > members - removed ? 1 : 0;
    }

    private static int KeyOf(float weight) => BitConverter.SingleToInt32Bits(weight) & Unsigned;

    private void AddGroup(float threshold, float scale)
    {
        var sharpness = (double)threshold * scale;
        _groups++;
        _thresholds += threshold;
        _squaredThresholds += (double)threshold * threshold;
        _squaredSharpness += sharpness * sharpness;
    }

    /// <summary>The number of members that sort before one.</summary>
    private static long RankOf(long place, long* places, int members)
    {
        var rank = 0L;
        for (var other = 0; other < members; other++)
            rank += (places[other] - place) >>> 63;
        return rank;
    }

    private void Add(int key, float threshold, float scale, bool isRemoved)
    {
        var magnitude = BitConverter.Int32BitsToSingle(key);
        var logit = (magnitude - threshold) * scale * ((magnitude + threshold) * scale);
        var mask = 1 / (1 + MathF.Exp(-logit));
        var masked = mask >= Sharpness.SmallestMask ? mask * magnitude : 0;
        Total += masked;
        Lost += isRemoved ? masked : 0;
        Zeros += key == 0 ? 1 : 0;
        Subnormals += key is > 0 and < Normal ? 1 : 0;
        Open += mask is > (float)Undecided and < (float)(1 - Undecided) ? 1 : 0;
    }
}
