using System.Numerics;
using static TorchSharp.torch.nn;

namespace Pdp.Masking;

/// <summary>Makes the mask group of channels that belong together.</summary>
internal static class ChannelMaskGroup
{
    public static MaskGroup Of(
        ChannelGroup group, Module model, IMaskStrategy strategy, Temperature temperature, Temperature? gradientTemperature)
    {
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
        // A bias that layers share may be listed with each of them, and is masked once.
        SliceView[] Views(ChannelRole role) =>
            [.. group.Of(role).Distinct().Select(slice => new SliceView(parameters[slice.Name], slice, group.Channels))];
        var filters = Views(ChannelRole.Filter);
        var layout = new WeightLayout([group.Channels, filters.Sum(view => view.Width)]);
        var mask = new PdpMask(group.Name, layout, strategy, temperature)
        {
            GradientTemperature = gradientTemperature,
            ChannelsPerMember = group.Slices.Select(slice => slice.Block)
                .Aggregate(0L, (divisor, block) => (long)BigInteger.GreatestCommonDivisor(divisor, block)),
        };
        return new(mask, new GroupSlices(mask, filters, [.. Views(ChannelRole.Bias), .. Views(ChannelRole.Norm)], group.IsNormalized));
    }
}
