using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines.Internal;

/// <summary>The part of a norm's scale and shift that belongs to a group of channels.</summary>
internal sealed class ChannelNorm
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Parameter _scale;
    private readonly Parameter _shift;
    private readonly ChannelSlice _slice;
    private readonly long _channels;

    private ChannelNorm(Parameter scale, Parameter shift, ChannelSlice slice, long channels)
    {
        _scale = scale;
        _shift = shift;
        _slice = slice;
        _channels = channels;
    }

    /// <summary>The number of elements of the norm that belong to one channel.</summary>
    public long Block => _slice.Block;

    /// <summary>The norms of a group that have both scale and shift.</summary>
    public static IReadOnlyList<ChannelNorm> Of(Module model, ChannelGroup group)
    {
        const string Scale = ".weight";
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
        var slices = group.Of(ChannelRole.Norm).ToArray();
        var norms = new List<ChannelNorm>();
        foreach (var slice in slices.Where(slice => slice.Name.EndsWith(Scale, StringComparison.Ordinal)))
        {
            var shift = slice with { Name = slice.Name[..^Scale.Length] + ".bias" };
            if (slices.Contains(shift))
                norms.Add(new(parameters[slice.Name], parameters[shift.Name], slice, group.Channels));
        }

        return norms;
    }

    /// <summary>γ, <c>[channels, block]</c>; a view.</summary>
    public Tensor Scale() => Of(_scale.detach());

    /// <summary>β, <c>[channels, block]</c>; a view.</summary>
    public Tensor Shift() => Of(_shift.detach());

    /// <summary>Adds to the gradients, <c>[channels, block]</c> each, of parameters that have one.</summary>
    public void AddGradients(Tensor ofScale, Tensor ofShift)
    {
        Add(_scale, ofScale);
        Add(_shift, ofShift);
    }

    private Tensor Of(Tensor whole) => whole.narrow(0, _slice.Offset, _slice.Block * _channels).reshape(_channels, _slice.Block);

    private void Add(Parameter parameter, Tensor values)
    {
        if (parameter.grad is { } gradient)
            Of(gradient).add_(values.to_type(gradient.dtype), One);
    }
}
