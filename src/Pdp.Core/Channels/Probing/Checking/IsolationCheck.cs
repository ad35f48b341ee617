namespace Pdp.Channels.Probing.Checking;

/// <summary>Tells whether the channels that a cut removes reach the outputs through their readers alone.</summary>
/// <remarks>
/// <para>
/// The channels get values of all kinds, up to extreme ones, while the readers' weights for them are zero. If the outputs are those of the
/// masked channels, bit for bit, then no number over the channels acts on them: no mean, maximum, order or count of active ones, whatever
/// threshold it has to cross, and under random numbers too, since both passes draw the same ones. What is left for the cut itself to show
/// is only whether it matters how many channels there are, and which is the first.
/// </para>
/// <para>
/// Channels that do act on others may still be right to cut, as in a sum to which zeros add nothing. They have to be compared at many
/// scales.
/// </para>
/// </remarks>
internal static class IsolationCheck
{
    /// <summary>The passes with other random numbers, if there are any.</summary>
    private const ulong Draws = 4;

    /// <summary>Whether the channels are isolated, or outputs are not finite.</summary>
    /// <param name="trial">The model in a scenario; its channels are masked, and it is left in another state.</param>
    /// <param name="cuts">All cuts, whose other channels are masked.</param>
    /// <param name="masked">A pass with them masked.</param>
    /// <param name="open">Those of them that are looked at.</param>
    /// <param name="drives">The ranges of the values.</param>
    public static bool Holds(
        TrialModel trial,
        IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts,
        TrialPass masked,
        IReadOnlyList<(ChannelGroup Group, long[] Kept)> open,
        IReadOnlyList<(double Least, double Most)> drives)
    {
        if (!masked.IsFinite)
            return true;

        var draws = masked.HasDrawn ? Draws : 1;
        for (var draw = 0ul; draw < draws; draw++)
        {
            if (draw > 0)
                trial.Mask(cuts);
            var expected = draw == 0 ? masked : trial.Run(cuts, draw);
            trial.Zero(open, ChannelRole.Input);
            if (!drives.All(range => IsSame(range.Least, range.Most, draw, expected)))
                return false;
        }

        return true;

        bool IsSame(double least, double most, ulong draw, TrialPass expected)
        {
            trial.Drive(open, least, most);
            var driven = trial.Run(cuts, draw);
            return expected.Equal(driven) || !driven.IsFinite;
        }
    }

    /// <summary>Whether values of a size act on others.</summary>
    /// <param name="trial">The model in a scenario; it is left in another state.</param>
    /// <param name="cuts">The channels that the cut keeps.</param>
    /// <param name="level">The size.</param>
    public static bool IsAnswered(TrialModel trial, IReadOnlyList<(ChannelGroup Group, long[] Kept)> cuts, double level)
    {
        trial.Mask(cuts);
        var masked = trial.Run(cuts);
        trial.Zero(cuts, ChannelRole.Input);
        trial.Drive(cuts, -level, level);
        return !masked.Equal(trial.Run(cuts));
    }
}
