using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>A parameter that a method learns besides a layer's weight; all its elements start at the same value.</summary>
/// <remarks>
/// Detects that no optimizer has it: it gets gradients, stays at its start, and its gradient is not zeroed between steps, as it would be by
/// an optimizer with a learning rate of 0. Owns the parameter.
/// </remarks>
internal sealed class Learned : IDisposable
{
    /// <summary>The remedy for parameters that no optimizer has.</summary>
    public const string Cure =
        "give pruner.Parameters to the optimizer along with the model's: "
        + "[.. model.parameters(), .. pruner.Parameters.Select(entry => entry.Parameter)].";

    private static readonly Scalar One = 1.ToScalar();

    private readonly Tensor _start;
    private readonly Tensor _isPulled;
    private readonly Tensor _hasContent;
    private readonly Tensor _isZeroed;
    private bool _hasMoved;
    private bool _wasStuck;

    /// <summary>Makes the parameter on the weight's device and in its arithmetic type; outside of dispose scopes.</summary>
    /// <remarks>Tied channels have no single weight, so their parameter is float32 on the CPU.</remarks>
    public Learned(MethodLayer layer, string kind, long[] shape, double start)
    {
        using var scope = NewDisposeScope();
        using Scalar value = start.ToScalar();
        var type = layer.Weight?.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var device = layer.Weight?.device ?? CPU;
        Name = $"{layer.Mask.Name}.{kind}";
        Parameter = new Parameter(full(shape, value, dtype: type, device: device));
        Parameter.DetachFromDisposeScope();
        _start = full([], value, dtype: type, device: device).DetachFromDisposeScope();
        _isPulled = zeros([], dtype: ScalarType.Bool, device: device).DetachFromDisposeScope();
        _hasContent = zeros([], dtype: ScalarType.Bool, device: device).DetachFromDisposeScope();
        _isZeroed = zeros([], dtype: ScalarType.Bool, device: device).DetachFromDisposeScope();
    }

    public string Name { get; }

    public Parameter Parameter { get; }

    /// <summary>Whether a gradient has ever arrived, zero or not.</summary>
    public bool HasGradient { get; private set; }

    /// <summary>Checks that an optimizer moves the parameters of a method; waits for the device.</summary>
    /// <param name="all">All parameters of the method.</param>
    /// <param name="isFinal">Whether nothing can move them any more; if not, one that waits for its learning rate is accepted.</param>
    /// <param name="kind">What the parameters are called.</param>
    /// <param name="consequence">The consequence for the masks, and the remedy.</param>
    /// <exception cref="InvalidOperationException">One gets gradients but stays at its start.</exception>
    public static void RequireMoved(IReadOnlyList<Learned> all, bool isFinal, string kind, string consequence)
    {
        Learned[] stuck = [.. all.Where(one => isFinal ? one.IsStuck() : one.StaysStuck())];
        if (stuck.Length == 0)
            return;

        var names = stuck.Length == all.Count ? $"All {kind}" : $"The {kind} {string.Join(", ", stuck.Select(one => $"'{one.Name}'"))}";
        throw new InvalidOperationException($"{names} have had gradients but never moved, so {consequence}");
    }

    /// <summary>Adds to the gradient.</summary>
    /// <param name="gradient">The tensor to add; it must be new, and belongs to the parameter from now on.</param>
    /// <param name="pull">
    /// A tensor that is nonzero if training acts on the parameter: the gradient itself, unless only decay can move the parameter.
    /// </param>
    public void AddGradient(Tensor gradient, Tensor? pull = null)
    {
        using var scope = NewDisposeScope();
        var earlier = Parameter.grad;
        if (!_hasMoved)
            Note(earlier, gradient, pull ?? gradient);
        HasGradient = true;
        // Setting the gradient takes the tensor out of its scope.
        if (earlier is null)
            Parameter.grad = gradient;
        else
            earlier.add_(gradient, One);
    }

    /// <summary>Checks that the parameter is finite; waits for the device.</summary>
    /// <exception cref="InvalidOperationException">It is not finite.</exception>
    public void RequireFinite()
    {
        if (!Parameter.isfinite().all().cpu().ReadCpuBool(0))
            throw new InvalidOperationException($"'{Name}' holds NaN or infinity: lower its learning rate.");
    }

    /// <summary>Whether the parameter has left its start; waits for the device as long as it has not.</summary>
    public bool HasMoved() => _hasMoved |= Parameter.ne(_start).any().cpu().ReadCpuBool(0);

    /// <summary>Whether training has acted on the parameter but it never moved; waits for the device.</summary>
    public bool IsStuck() => !HasMoved() && _isPulled.cpu().ReadCpuBool(0);

    /// <summary>Whether this was already so at the last call and no optimizer seems to have the parameter; true only once.</summary>
    public bool StaysStuck()
    {
        var isStuck = IsStuck() && !_isZeroed.cpu().ReadCpuBool(0);
        var stays = isStuck && _wasStuck;
        _wasStuck = isStuck && !stays;
        return stays;
    }

    public void Dispose()
    {
        Parameter.Dispose();
        _start.Dispose();
        _isPulled.Dispose();
        _hasContent.Dispose();
        _isZeroed.Dispose();
    }

    // A gradient of zeros that never was anything else says nothing of an optimizer.
    private void Note(Tensor? earlier, Tensor gradient, Tensor pull)
    {
        if (HasGradient)
            _isZeroed.logical_or_(earlier is null ? _isPulled : earlier.any().logical_not_().logical_and_(_hasContent));
        _hasContent.logical_or_(gradient.any().to(_hasContent.device));
        _isPulled.logical_or_(pull.any().to(_isPulled.device));
    }
}
