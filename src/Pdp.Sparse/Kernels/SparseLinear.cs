using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Sparse.Kernels;

/// <summary>A linear layer's product.</summary>
internal sealed unsafe class SparseLinear(Tensor weight, Epilogue epilogue) : ISparseProduct
{
    private readonly PackedMatrix _matrix = PackedMatrix.Of(weight, epilogue.Bias);
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
        if (shape.Length == 0 || shape[^1] != _matrix.Columns)
            Require.Refuse(nameof(input), $"its shape is [{string.Join(", ", shape)}], and [..., {_matrix.Columns}] is needed");
        shape[^1] = _matrix.Rows;
        Require.Addend(addend, shape);
        var output = empty(shape, ScalarType.Float32, CPU);
        var positions = input.numel() / _matrix.Columns;
        if (positions > 0)
            Multiply(input.contiguous(), addend?.contiguous(), output, positions);
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Unpack(Span<float> weight) => _matrix.Unpack(weight);

    /// <inheritdoc/>
    public void Dispose() => _matrix.Dispose();

    private void Multiply(Tensor input, Tensor? addend, Tensor output, long positions)
    {
        using var lease = Jobs.Shared.Take();
        var job = lease.Job;
        var x = (float*)NativeTensor.Data(input.Handle);
        var y = (float*)NativeTensor.Data(output.Handle);
        var added = addend is null ? null : (float*)NativeTensor.Data(addend.Handle);
        var (from, to) = (job.Positions.Set(x, _matrix.Columns), job.ToPositions.Set(y, added, _matrix.Rows));
        job.Multiply(_matrix, from, to, _activation, positions, get_num_threads(), positions == 1 ? x : null);
        GC.KeepAlive(input);
        GC.KeepAlive(addend);
        GC.KeepAlive(output);
    }
}
