using System.Runtime.CompilerServices;
using Pdp.Numerics.Kernels;

namespace Pdp.Sparse.Kernels;

/// <summary>The windows of a convolution: each element of a window in each channel is a row, each window a position.</summary>
internal sealed unsafe class WindowsInput : IInput
{
    private readonly Scratch[] _places = [.. Enumerable.Range(0, ParallelRunner.WorkersFor(int.MaxValue)).Select(_ => new Scratch())];
    private Geometry _geometry;
    private float* _start;
    private float* _end;
    private long _channelStride;
    private long _pictureStride;

    /// <summary>Copies of pictures that can't be read as they are.</summary>
    public PhasePlanes Copies { get; } = new();

    /// <summary>Takes [pictures, channels, phases, rows, columns of a phase].</summary>
    public IInput Set(float* start, long pictures, long channelStride, long pictureStride, Geometry geometry)
    {
        _start = start;
        _geometry = geometry;
        (_channelStride, _pictureStride) = (channelStride, pictureStride);
        var vectors = Tile.MostWidth / PanelKernels.Widest.Lanes;
        foreach (var places in _places)
            places.Of((long)geometry.Elements * vectors * (1 + PanelKernels.Widest.Lanes) * sizeof(Part) / sizeof(float));
        _end = start + ((pictures - 1) * pictureStride) + ((geometry.Channels - 1) * channelStride) + geometry.ChannelSize;
        return this;
    }

    /// <inheritdoc/>
    /// <remarks>Finds, for each vector of positions and each element of the window, where its inputs are.</remarks>
    [MethodImpl(Compiled.AtOnce)]
    public void Begin(Tile tile, int worker)
    {
        var lanes = PanelKernels.Widest.Lanes;
        var places = Places(worker);
        var (line, column) = Math.DivRem(tile.Start, _geometry.OutputWidth);
        var (picture, row) = Math.DivRem(line, _geometry.OutputHeight);
        var at = new Window(picture, (int)row, (int)column);
        for (var done = 0; done < tile.Width; done += lanes)
        {
            var next = at;
            for (var element = 0; element < _geometry.Elements; element++, places += 1 + lanes)
            {
                next = at;
                var number = FindParts(element, ref next, Math.Clamp(tile.Count - done, 0, lanes), places + 1);
                *places = new(number, 0, 0);
            }

            at = next;
        }
    }

    /// <inheritdoc/>
    [MethodImpl(Compiled.AtOnce)]
    public void Fill(float* slab, int first, int count, Tile tile, int worker)
    {
        var lanes = PanelKernels.Widest.Lanes;
        var places = Places(worker);
        var elements = _geometry.Elements;
        for (var done = 0; done < tile.Width; done += lanes)
        {
            for (var element = 0; element < elements; element++, places += 1 + lanes)
            {
                // The channels whose rows for this element are among the requested ones.
                var channel = (first - element + elements - 1) / elements;
                var channels = ((first + count - element + elements - 1) / elements) - channel;
                var row = ((long)channel * elements) + element - first;
                var target = slab + (row * tile.Width) + done;
                if (channels > 0)
                    Gather(places + 1, (int)places->Source, target, (long)elements * tile.Width, channel, channels);
            }
        }
    }

    /// <summary>For each vector and element, the number of its parts, then the parts.</summary>
    private Part* Places(int worker) => (Part*)_places[worker].Of(0);

    [MethodImpl(Compiled.AtOnce)]
    private void Gather(Part* parts, int number, float* target, long targetStride, int channel, int channels)
    {
        var kernel = PanelKernels.Widest;
        // A vector is read even where an element of the window has no inputs.
        var (low, high) = (0L, number == 0 ? kernel.Lanes : 0L);
        for (var i = 0; i < number; i++)
            (low, high) = (Math.Min(low, parts[i].Source), Math.Max(high, parts[i].Source + kernel.Lanes));
        var source = _start + (channel * _channelStride);
        // A vector may begin before the first picture or end after the last one.
        for (; channels > 0 && source + low < _start; channels--, source += _channelStride, target += targetStride)
            GatherSingly(source, parts, number, target);
        for (; channels > 0 && source + ((channels - 1) * _channelStride) + high > _end; channels--)
            GatherSingly(source + ((channels - 1) * _channelStride), parts, number, target + ((channels - 1) * targetStride));
        if (channels > 0)
            kernel.Gather(source, _channelStride, parts, number, target, targetStride, channels);
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void GatherSingly(float* source, Part* parts, int number, float* target)
    {
        new Span<float>(target, PanelKernels.Widest.Lanes).Clear();
        for (var i = 0; i < number; i++)
        {
            for (var lane = parts[i].First; lane < parts[i].End; lane++)
                target[lane] = source[parts[i].Source + lane];
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private int FindParts(int element, ref Window at, int count, Part* parts)
    {
        var (elementRow, elementColumn) = Math.DivRem(element, _geometry.KernelWidth);
        var (down, across) = (_geometry.Down, _geometry.Across);
        var (shift, phase) = _geometry.Shift(elementColumn);
        var width = _geometry.PhaseColumns(phase);
        var number = 0;
        for (var done = 0; done < count;)
        {
            var length = Math.Min(count - done, _geometry.OutputWidth - at.Column);
            var y = (at.Row * down.Stride) + (elementRow * down.Dilation) - down.Before;
            var x = at.Column + shift;
            var (first, end) = (Math.Max(0, -x), Math.Min(length, width - x));
            if (y >= 0 && y < _geometry.Height && first < end)
            {
                var line = (at.Picture * _pictureStride) + (phase * _geometry.PhaseSize) + ((long)y * _geometry.PhaseWidth);
                parts[number++] = new(line + x - done, done + first, done + end);
            }

            done += length;
            at.Advance(length, _geometry);
        }

        return number;
    }

    /// <summary>A window's place.</summary>
    private record struct Window(long Picture, int Row, int Column)
    {
        public void Advance(int columns, in Geometry geometry)
        {
            Column += columns;
            if (Column < geometry.OutputWidth)
                return;
            (Column, Row) = (0, Row + 1);
            if (Row == geometry.OutputHeight)
                (Row, Picture) = (0, Picture + 1);
        }
    }
}
