using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Baselines.Internal;

/// <summary>A parameter that a method learns beside a layer's weight; all its elements start at one number.</summary>
/// <remarks>
/// Remembers what tells that no optimizer has it: training pulls at it, it stays at its start, and nobody zeroes its gradient between steps, as an
/// optimizer with a learning rate of 0 does. Owns the parameter.
/// </remarks>
internal sealed class Learned : IDisposable
{
    /// <summary>What to do about parameters that no optimizer has.</summary>
    public const string Cure = "give pruner.Parameters to the optimizer beside the model's: [.. model.parameters(), .. pruner.Parameters.Select(entry => entry.Parameter)].";

    private static readonly Scalar One = 1.ToScalar();

    private readonly Tensor _start;
    private readonly Tensor _isPulled;
    private readonly Tensor _isZeroed;
    private bool _hasMoved;
    private bool _wasStuck;

    /// <summary>Makes the parameter on the weight's device and in its arithmetic type; outside of dispose scopes.</summary>
    /// <remarks>Tied channels have no one weight: theirs is float32 on the CPU.</remarks>
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
        _isZeroed = zeros([], dtype: ScalarType.Bool, device: device).DetachFromDisposeScope();
    }

    public string Name { get; }

    public Parameter Parameter { get; }

    /// <summary>Whether a gradient has arrived at some time, zero or not.</summary>
    public bool HasGradient { get; private set; }

    /// <summary>Checks that an optimizer moves the parameters of a method; waits for the device.</summary>
    /// <param name="all">All of them.</param>
    /// <param name="isFinal">Whether nothing that comes can still move them; if not, one that waits for its learning rate is let pass.</param>
    /// <param name="kind">What they are.</param>
    /// <param name="consequence">What follows for the masks, and what to do.</param>
    /// <exception cref="InvalidOperationException">Training pulls at one that stays at its start.</exception>
    public static void RequireMoved(IReadOnlyList<Learned> all, bool isFinal, string kind, string consequence)
    {
        Learned[] stuck = [.. all.Where(one => isFinal ? one.IsStuck() : one.StaysStuck())];
        if (stuck.Length == 0)
            return;

        var names = stuck.Length == all.Count ? $"All {kind}" : $"The {kind} {string.Join(", ", stuck.Select(one => $"'{one.Name}'"))}";
        throw new InvalidOperationException($"{names} have had gradients and never moved, so that {consequence}");
    }

    /// <summary>Adds to the gradient.</summary>
    /// <param name="gradient">What is added; a new tensor, the parameter's from now on.</param>
    /// <param name="pull">What isn't zero where training pulls at the parameter; the gradient itself, unless decay alone can move the parameter.</param>
    public void AddGradient(Tensor gradient, Tensor? pull = null)
    {
        using var scope = NewDisposeScope();
        var earlier = Parameter.grad;
        if (!_hasMoved)
            Note(earlier, pull ?? gradient);
        HasGradient = true;
        // Setting it takes the tensor out of its scope.
        if (earlier is null)
            Parameter.grad = gradient;
        else
            earlier.add_(gradient, One);
    }

    /// <summary>Checks that the parameter is finite; waits for the device.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public void RequireFinite()
    {
        if (!Parameter.isfinite().all().cpu().ReadCpuBool(0))
            throw new InvalidOperationException($"'{Name}' holds NaN or infinity: lower its learning rate.");
    }

    /// <summary>Whether the parameter has left its start; waits for the device, until it has.</summary>
    public bool HasMoved() => _hasMoved |= Parameter.ne(_start).any().cpu().ReadCpuBool(0);

    /// <summary>Whether training has pulled at the parameter, and it never moved; waits for the device.</summary>
    public bool IsStuck() => !HasMoved() && _isPulled.cpu().ReadCpuBool(0);

    /// <summary>Whether it was so at the last call already, and no optimizer seems to have the parameter; said once.</summary>
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
        _isZeroed.Dispose();
    }

    private void Note(Tensor? earlier, Tensor pull)
    {
        if (HasGradient)
            _isZeroed.logical_or_(earlier is null ? _isPulled : earlier.any().logical_not_().logical_and_(_isPulled));
        _isPulled.logical_or_(pull.any().to(_isPulled.device));
    }
}
