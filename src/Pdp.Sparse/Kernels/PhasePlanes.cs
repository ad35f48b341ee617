using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>Copies pictures so that the inputs of neighbouring windows lie side by side.</summary>
/// <remarks>The copies are channel by channel, with the columns of each row in phases, modulo the stride.</remarks>
internal sealed unsafe class PhasePlanes : IParallelWork
{
    /// <summary>The channels of a piece: as many as a cache line holds with channels last.</summary>
    private const int GroupChannels = 16;

    private readonly Scratch _scratch = new();
    private Geometry _geometry;
    private PictureLayout _layout;
    private float* _source;
    private float* _target;

    /// <summary>The copy, [pictures, channels, phases, rows, columns of a phase].</summary>
    public float* Start => _target;

    private int Groups => (_geometry.Channels + GroupChannels - 1) / GroupChannels;

    /// <summary>Takes pictures; returns the number of pieces.</summary>
    public int Set(float* source, PictureLayout layout, Geometry geometry)
    {
        _source = source;
        (_layout, _geometry) = (layout, geometry);
        _target = _scratch.Of(layout.Pictures * geometry.Channels * geometry.ChannelSize);
        return checked((int)(layout.Pictures * Groups));
    }

    /// <inheritdoc/>
    public void Run(int piece, int worker)
    {
        var (picture, group) = Math.DivRem(piece, Groups);
        var first = group * GroupChannels;
        var channels = Math.Min(GroupChannels, _geometry.Channels - first);
        var source = _source + (picture * _layout.PictureStride) + (first * _layout.ChannelStride);
        var target = _target + (((picture * (long)_geometry.Channels) + first) * _geometry.ChannelSize);
        for (var phase = 0; phase < _geometry.Across.Stride; phase++)
        {
            if (_geometry.UsesPhase(phase))
            {
                var (from, to) = (phase * _layout.ColumnStride, phase * _geometry.PhaseSize);
                CopyPhase(source + from, target + to, _geometry.PhaseColumns(phase), channels);
            }
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private void CopyPhase(float* source, float* target, int columns, int channels)
    {
        for (var y = 0; y < _geometry.Height; y++, source += _layout.RowStride, target += _geometry.PhaseWidth)
        {
            if (_geometry.UsesRow(y))
                CopyRow(source, target, columns, channels);
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private void CopyRow(float* source, float* target, int columns, int channels)
    {
        var stride = _layout.ColumnStride * _geometry.Across.Stride;
        if (_layout.IsChannelsLast)
        {
            Transposition.Run(source, stride, target, _geometry.ChannelSize, columns, channels);
            return;
        }

        for (var channel = 0; channel < channels; channel++, source += _layout.ChannelStride, target += _geometry.ChannelSize)
            Strided.Copy(source, stride, target, columns);
    }
}
