using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>A convolution's product.</summary>
internal sealed unsafe class SparseConvolution(Tensor weight, IReadOnlyList<ConvolutionAxis> axes, Epilogue epilogue) : ISparseProduct
{
    private readonly PackedMatrix _matrix = PackedMatrix.Of(weight, epilogue.Bias);
    private readonly Geometry _window = WindowOf(weight, axes);
    private readonly int _axes = axes.Count;
    private readonly Activation _activation = epilogue.Activation;

    /// <inheritdoc/>
    public long Bytes => _matrix.Bytes;

    /// <inheritdoc/>
    public Tensor Run(Tensor input, Tensor? addend = null)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Require.Numbers(input, nameof(input));
        var shape = input.shape;
        if (shape.Length != _axes + 1 && shape.Length != _axes + 2)
            Require.Refuse(nameof(input), $"it has {shape.Length} dimensions, and {_axes + 1} or {_axes + 2} are needed");
        if (shape[^(_axes + 1)] != _window.Channels)
            Require.Refuse(nameof(input), $"it has {shape[^(_axes + 1)]} channels, and {_window.Channels} are needed");
        var geometry = new Geometry(
            _window.Channels, _axes == 2 ? checked((int)shape[^2]) : 1, checked((int)shape[^1]), _window.KernelHeight, _window.KernelWidth,
            _window.Down, _window.Across);
        if (geometry.OutputHeight < 1 || geometry.OutputWidth < 1)
            Require.Refuse(nameof(input), $"[{string.Join(", ", shape)}] is smaller than the window");
        shape[^(_axes + 1)] = _matrix.Rows;
        shape[^1] = geometry.OutputWidth;
        if (_axes == 2)
            shape[^2] = geometry.OutputHeight;
        Require.Addend(addend, shape);
        var output = empty(shape, ScalarType.Float32, CPU);
        if (output.numel() > 0)
            Multiply(input, addend?.contiguous(), output, geometry);
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Unpack(Span<float> weight) => _matrix.Unpack(weight);

    /// <inheritdoc/>
    public void Dispose() => _matrix.Dispose();

    private void Multiply(Tensor input, Tensor? addend, Tensor output, Geometry geometry)
    {
        var layout = PictureLayout.Of(input, _axes);
        if (!layout.IsChannelsLast && layout.ColumnStride != 1)
        {
            input = input.contiguous();
            layout = PictureLayout.Of(input, _axes);
        }

        var positions = (long)geometry.OutputHeight * geometry.OutputWidth;
        using var lease = Jobs.Shared.Take();
        var job = lease.Job;
        var x = (float*)NativeTensor.Data(input.Handle);
        var y = (float*)NativeTensor.Data(output.Handle);
        var added = addend is null ? null : (float*)NativeTensor.Data(addend.Handle);
        var threads = get_num_threads();
        var from = InputOf(job, x, layout, geometry, threads);
        var to = job.ToPlanes.Set(y, added, new(positions, positions, positions * _matrix.Rows));
        job.Multiply(_matrix, from, to, _activation, layout.Pictures * positions, threads);
        GC.KeepAlive(input);
        GC.KeepAlive(addend);
        GC.KeepAlive(output);
    }

    /// <summary>The window, for pictures whose size is not known yet.</summary>
    private static Geometry WindowOf(Tensor weight, IReadOnlyList<ConvolutionAxis> axes) => axes.Count == 1
        ? new((int)weight.size(1), 1, 1, 1, (int)weight.size(2), new(1), axes[0])
        : new((int)weight.size(1), 1, 1, (int)weight.size(2), (int)weight.size(3), axes[0], axes[1]);

    private static IInput InputOf(Job job, float* x, PictureLayout layout, Geometry geometry, int threads)
    {
        if (geometry.IsPointwise && layout.ColumnStride == 1 && layout.RowStride == geometry.Width)
            return job.Planes.Set(x, new((long)geometry.Height * geometry.Width, layout.ChannelStride, layout.PictureStride));
        if (geometry.Across.Stride == 1 && layout.ColumnStride == 1 && layout.RowStride == geometry.Width)
            return job.Windows.Set(x, layout.Pictures, layout.ChannelStride, layout.PictureStride, geometry);
        var copies = job.Windows.Copies;
        job.Spread(copies, copies.Set(x, layout, geometry), threads);
        return job.Windows.Set(copies.Start, layout.Pictures, geometry.ChannelSize, geometry.Channels * geometry.ChannelSize, geometry);
    }
}
