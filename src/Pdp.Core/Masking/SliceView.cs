using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>A slice of a parameter as <c>[channels, …]</c>.</summary>
internal sealed class SliceView(Parameter parameter, ChannelSlice slice, long channels)
{
    public Parameter Parameter => parameter;

    public ChannelRole Role => slice.Role;

    /// <summary>The elements of one channel.</summary>
    public long Width => parameter.numel() / parameter.shape[slice.Dimension] * slice.Block;

    /// <summary>Whether each channel's elements are contiguous, and the channels follow one another, in a contiguous parameter.</summary>
    public bool HasRows => slice.Dimension == 0;

    /// <summary>The first element of the first channel, if there are rows.</summary>
    public long Start => parameter.numel() / parameter.shape[0] * slice.Offset;

    /// <summary>A copy of the values.</summary>
    public Tensor Read() => Copy(parameter);

    /// <summary>A copy of the gradient; null if there is none.</summary>
    public Tensor? ReadGradient()
    {
        using var gradient = parameter.grad;
        return gradient is null ? null : Copy(gradient);
    }

    public void Write(Tensor values) => CopyInto(parameter, values);

    public void WriteGradient(Tensor values)
    {
        using var gradient = parameter.grad;
        if (gradient is not null)
            CopyInto(gradient, values);
    }

    private Tensor Copy(Tensor whole)
    {
        using var scope = NewDisposeScope();
        return Of(whole.detach()).reshape(channels, -1).clone().MoveToOuterDisposeScope();
    }

    private void CopyInto(Tensor whole, Tensor values)
    {
        using var scope = NewDisposeScope();
        var view = Of(whole.detach());
        view.copy_(values.reshape(view.shape));
    }

    private Tensor Of(Tensor whole)
    {
        using var scope = NewDisposeScope();
        var part = whole.narrow(slice.Dimension, slice.Offset, slice.Block * channels);
        return part.movedim([slice.Dimension], [0]).MoveToOuterDisposeScope();
    }
}
