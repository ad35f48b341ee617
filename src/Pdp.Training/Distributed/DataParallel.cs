using System.Diagnostics;
using System.Runtime.InteropServices;
using Pdp.Internal;
using Pdp.Training.Distributed;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training;

/// <summary>
/// Trains one model on several ranks, each with its share of a batch: the gradients become the mean of the ranks' gradients, so that all
/// ranks take the same steps and keep the same weights.
/// </summary>
/// <remarks>
/// The order of a step is <c>zero_grad</c>, forward and backward (with a pruner, inside its scope), <see cref="AverageGradients"/>,
/// clipping, the optimizer's <c>step</c>. With shares of equal size and a loss that is a mean, this is the step of the whole batch, except
/// that batch norms see only the share of their rank, as in PyTorch's <c>DistributedDataParallel</c>. Gradients are packed into a few
/// large buckets after the backward pass. It holds the memory of one bucket for each type of parameter, and borrows the model.
/// Not thread-safe.
/// </remarks>
public sealed class DataParallel : IDisposable
{
    private readonly nn.Module _model;
    private readonly ICollective _collective;
    private readonly (string Name, Parameter Parameter, long[] Shape, ScalarType Type)[] _parameters;
    private readonly HashSet<nint> _known;
    private readonly GradientBucket[] _buckets;
    private readonly Tensor[] _memory;
    private readonly Tensor _presence;
    private readonly Scalar _size;
    private long _ticks;
    private bool _isDisposed;

    /// <summary>Gives all ranks the parameters and buffers of rank 0, including buffers that are not persistent.</summary>
    /// <param name="model">The model, on the device that it trains on: moving it replaces its parameters.</param>
    /// <param name="collective">The ranks.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="collective"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A parameter is complex, or a parameter or buffer is sparse, on the meta device, or an expanded view.
    /// </exception>
    /// <exception cref="InvalidDataException">
    /// The ranks differ in the options, or their models in a name, a type, a shape, a tie, what is frozen, or the order in which the
    /// tensors were registered. The weights are then unchanged.
    /// </exception>
    public DataParallel(nn.Module model, ICollective collective, DataParallelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(collective);
        (_model, _collective) = (model, collective);
        options ??= new DataParallelOptions();
        ModelTensors.RequireFit(model);
        Agreement.Require(collective, options.ToTexts());
        BroadcastTensors();
        _parameters =
        [
            .. model.named_parameters().DistinctBy(entry => TensorAddress.OfNative(entry.parameter))
                .Select(entry => (entry.name, entry.parameter, entry.parameter.shape, entry.parameter.dtype)),
        ];
        _known = [.. _parameters.Select(entry => TensorAddress.OfNative(entry.Parameter))];
        (_buckets, _memory) = BucketPlan.Make([.. _parameters.Select(entry => entry.Parameter)], options.BucketBytes);
        _presence = zeros(_parameters.Length, ScalarType.Int64, CPU).DetachFromDisposeScope();
        _size = collective.Size.ToScalar();
    }

    /// <summary>The number of times that the gradients have been averaged.</summary>
    public long Steps { get; private set; }

    /// <summary>
    /// The time in <see cref="AverageGradients"/> so far: packing, sums, and waiting for the slowest rank.
    /// </summary>
    public TimeSpan CommunicationTime => Stopwatch.GetElapsedTime(0, _ticks);

    /// <summary>The bytes of gradients that each rank adds to the sums of a step.</summary>
    public long BytesPerStep => _buckets.Sum(bucket => bucket.Flat.numel() * bucket.Flat.element_size());

    /// <summary>
    /// Replaces each gradient by the mean of the ranks' gradients; one that is missing on some ranks counts as zero there; one that is
    /// missing on all stays missing. Call it after the backward pass, outside of a pruner's scope, and before clipping.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A parameter was disposed, reshaped, converted or added since, as by moving or shrinking the model, or only some ranks have frozen
    /// one. The gradients are then unchanged.
    /// </exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public void AverageGradients()
    {
        RequireFit();
        if (_collective.Size == 1)
        {
            return;
        }

        var start = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        ReadOnlySpan<bool> isPresent = ReadPresence();
        foreach (var bucket in _buckets)
        {
            bucket.Pack();
            _collective.Sum(bucket.Flat);
            bucket.Flat.div_(_size);
            bucket.Unpack(isPresent[..bucket.Count]);
            isPresent = isPresent[bucket.Count..];
        }

        Steps++;
        _ticks += Stopwatch.GetTimestamp() - start;
    }

    /// <summary>
    /// Replaces each floating-point buffer, such as the statistics of batch norms, by the mean over the ranks, including those that are not
    /// persistent. Call it before evaluation and checkpoints, on all ranks; in between each rank keeps its own.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// Another rank makes another call, such as the average of the gradients of a batch that this rank does not have. This is checked for
    /// a model without buffers, too: its ranks would continue in different epochs otherwise.
    /// </exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public void AverageBuffers()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_collective.Size == 1)
        {
            return;
        }

        _collective.Barrier();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (_, buffer) in ModelBuffers.Of(_model).Where(entry => entry.Buffer.is_floating_point()))
        {
            var mean = buffer.to_type(BucketPlan.SumType(buffer), copy: true);
            _collective.Sum(mean);
            buffer.copy_(mean.div_(_size));
        }
    }

    /// <summary>Frees its memory; the model and the collective are the caller's.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Array.ForEach(_buckets, bucket => bucket.Dispose());
        Array.ForEach(_memory, memory => memory.Dispose());
        _presence.Dispose();
        _size.Dispose();
    }

    private void BroadcastTensors()
    {
        using var noGrad = no_grad();
        var tensors = ModelTensors.Of(_model);
        ModelTensors.RequireSame(_collective, tensors);
        foreach (var (_, tensor) in tensors)
        {
            _collective.Broadcast(tensor);
        }
    }

    // Whether any rank has a gradient of each parameter, in the order of the buckets. One sum counts these, and those that froze it.
    private bool[] ReadPresence()
    {
        const long Frozen = 1L << 32;
        var flags = MemoryMarshal.Cast<byte, long>(_presence.bytes);
        var index = 0;
        foreach (var parameter in _buckets.SelectMany(bucket => bucket.Parameters))
        {
            flags[index++] = (parameter.grad is null ? 0 : 1) + (parameter.requires_grad ? 0 : Frozen);
        }

        _collective.Sum(_presence);
        var isPresent = new bool[flags.Length];
        for (var i = 0; i < flags.Length; i++)
        {
            RequireAllOrNone((int)(flags[i] / Frozen), i);
            isPresent[i] = flags[i] % Frozen > 0;
        }

        return isPresent;
    }

    private void RequireAllOrNone(int frozen, int index)
    {
        if (frozen > 0 && frozen < _collective.Size)
        {
            var parameter = _buckets.SelectMany(bucket => bucket.Parameters).ElementAt(index);
            var name = _parameters.First(entry => ReferenceEquals(entry.Parameter, parameter)).Name;
            throw new InvalidOperationException(
                $"'{name}' is frozen on {frozen} of {_collective.Size} ranks: freeze it on all of them, or on none.");
        }
    }

    private void RequireFit()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        foreach (var (name, parameter, shape, type) in _parameters)
        {
            if (parameter.IsInvalid || parameter.dtype != type || !parameter.shape.AsSpan().SequenceEqual(shape))
            {
                throw new InvalidOperationException(
                    $"'{name}' was disposed, reshaped or converted since, as by moving or shrinking the model: make a new DataParallel.");
            }
        }

        if (_model.named_parameters().FirstOrDefault(entry => !_known.Contains(TensorAddress.OfNative(entry.parameter))).name is { } added)
        {
            throw new InvalidOperationException($"'{added}' was added or replaced since: make a new DataParallel.");
        }
    }
}
