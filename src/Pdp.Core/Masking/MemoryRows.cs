using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>The memory of a parameter's slice that belongs to a group of channels.</summary>
/// <remarks>Owns a dense copy, from the first scope on, if the slice is multiplied by the mask; borrows the parameter.</remarks>
internal sealed unsafe class MemoryRows
{
    private readonly SliceView _view;
    private readonly long _start;
    private readonly long _count;
    private readonly int _width;
    private readonly long _channels;
    private Tensor? _copy;
    private float* _weight;
    private float* _dense;

    /// <summary>Makes rows from a slice in which the elements of each channel are contiguous.</summary>
    public MemoryRows(SliceView view, long channels, bool isMasked, GradientMemory gradient)
    {
        _view = view;
        _start = view.Start;
        _count = view.Parameter.numel();
        _width = (int)view.Width;
        _channels = channels;
        IsMasked = isMasked;
        Gradient = gradient;
    }

    public ChannelRole Role => _view.Role;

    /// <summary>Whether the slice is multiplied by the mask.</summary>
    public bool IsMasked { get; }

    /// <summary>The gradient of the whole parameter.</summary>
    public GradientMemory Gradient { get; }

    /// <summary>w as it was before the scope, <c>[channels, …]</c>; a copy.</summary>
    public Tensor Dense() => _copy?.clone() ?? _view.Read();

    /// <summary>Finds the memory; false if it is not contiguous.</summary>
    public bool Find()
    {
        _weight = Elements();
        if (IsMasked)
            _copy ??= NewCopy();
        _dense = _copy is null ? null : NativeTensor.Elements(_copy.Handle, _copy.numel());
        return _weight is not null && (_copy is null || _dense is not null);
    }

    /// <summary>Whether the memory is still where it was found.</summary>
    public bool IsThere() => !_view.Parameter.IsInvalid && Elements() == _weight;

    /// <summary>Σw² of a channel.</summary>
    public double SumOfSquares(long channel) => ChannelRows.Dot(At(_weight, channel), At(_weight, channel), _width);

    /// <summary>Keeps a copy of w and writes m·w.</summary>
    public void Mask(long channel, float m)
    {
        if (_copy is null)
            return;

        Copy(At(_weight, channel), _dense + (channel * _width));
        ChannelRows.Mask(_dense + (channel * _width), At(_weight, channel), m, _width);
    }

    /// <summary>Σ(g·w) of a channel; 0 where no gradient arrived.</summary>
    public double Upstream(long channel) =>
        Gradient.HasArrived ? ChannelRows.Dot(At(Gradient.Arrived, channel), DenseAt(channel), _width) : 0;

    /// <summary>Puts w back; false if it was no longer m·w.</summary>
    public bool Restore(long channel, float m)
    {
        if (_copy is null)
            return true;

        var isUnchanged = ChannelRows.IsMasked(_dense + (channel * _width), At(_weight, channel), m, _width);
        Copy(_dense + (channel * _width), At(_weight, channel));
        return isUnchanged;
    }

    /// <summary>g ← factor·g + slope·(scale·w), if a gradient arrived.</summary>
    public void Correct(long channel, float factor, float slope, float scale)
    {
        if (Gradient.HasArrived)
            ChannelRows.Correct(At(Gradient.Arrived, channel), DenseAt(channel), factor, slope, slope == 0 ? 0 : scale, _width);
    }

    /// <summary>Releases the copy, which the next scope makes again.</summary>
    public void Forget()
    {
        _copy?.Dispose();
        _copy = null;
    }

    private Tensor NewCopy()
    {
        using var scope = NewDisposeScope();
        return empty([_channels, _width], _view.Parameter.dtype, _view.Parameter.device).DetachFromDisposeScope();
    }

    private float* Elements() => NativeTensor.Elements(_view.Parameter.Handle, _count);

    private float* At(float* whole, long channel) => whole + _start + (channel * _width);

    private float* DenseAt(long channel) => _copy is null ? At(_weight, channel) : _dense + (channel * _width);

    private void Copy(float* source, float* target) => Buffer.MemoryCopy(source, target, _width * sizeof(float), _width * sizeof(float));
}
