using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Statistics;

/// <summary>
/// A batch norm in evaluation mode that normalizes each input by that input's own statistics. It owns the moments and the old
/// statistics.
/// </summary>
/// <remarks>
/// In training mode TorchSharp 0.107 counts the batch with a Scalar that the collector may free meanwhile; here nothing is counted.
/// </remarks>
internal sealed class PooledNorm : IDisposable
{
    private readonly BatchNorm _norm;
    private readonly Moments _moments = new();
    private readonly Tensor _mean;
    private readonly Tensor _variance;
    private readonly Action _unhook;

    public PooledNorm(string name, BatchNorm norm)
    {
        (Name, _norm) = (name, norm);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _mean = norm.running_mean!.detach().clone().DetachFromDisposeScope();
        _variance = norm.running_var!.detach().clone().DetachFromDisposeScope();
        _unhook = norm.register_forward_pre_hook((_, input) => Read(input)).remove;
    }

    /// <summary>The name in the model; empty if it is the model itself.</summary>
    public string Name { get; }

    /// <summary>Whether the norm can hold the moments of what was read, in its own type.</summary>
    public bool IsFinite()
    {
        if (_moments.Count == 0)
        {
            return true;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var type = _norm.running_mean!.dtype;
        return stack([_moments.Mean.to_type(type), _moments.Spread.to_type(type)]).isfinite().all().cpu().bytes[0] != 0;
    }

    /// <exception cref="InvalidOperationException">There is no variance of what was read.</exception>
    public void RequireEnough()
    {
        if (_moments.Count < 2)
        {
            throw new InvalidOperationException(_moments.Count == 0
                ? $"The batch norm '{Name}' read nothing: no batch reaches it, or the model uses its forward where it should use call."
                : $"The batch norm '{Name}' read one value for each channel, which has no variance.");
        }
    }

    /// <summary>Sets the statistics to those of everything that was read.</summary>
    /// <param name="batches">The number of batches, from which a cumulative average continues.</param>
    public void Accept(long batches)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Set(_moments.Mean, _moments.Variance());
        _norm.num_batches_tracked?.copy_(tensor(batches, ScalarType.Int64, CPU));
    }

    /// <summary>Sets the statistics to the old ones.</summary>
    public void Restore()
    {
        using var noGrad = no_grad();
        Set(_mean, _variance);
    }

    public void Dispose()
    {
        _unhook();
        _moments.Dispose();
        _mean.Dispose();
        _variance.Dispose();
    }

    private Tensor Read(Tensor input)
    {
        if (input.dim() < 2)
        {
            // The batch norm itself says what is wrong with it.
            return input;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (count, mean, variance) = Moments.Of(input);
        _moments.Add(count, mean, variance);
        Set(mean, variance);
        return input;
    }

    private void Set(Tensor mean, Tensor variance)
    {
        _norm.running_mean!.copy_(mean);
        _norm.running_var!.copy_(variance);
    }
}
