using System.Numerics;
using System.Runtime.CompilerServices;

namespace Pdp.Numerics.Kernels;

/// <summary>Corrects the gradient along the weights in memory, as <see cref="Radial"/> does, a piece at a time.</summary>
/// <remarks>The sums of all pieces come first. Pieces may run at the same time; the results don't depend on the threads.</remarks>
internal sealed unsafe class RadialCorrection(int pieces)
{
    private readonly RadialSums[] _sums = new RadialSums[pieces];
    private float _unit;
    private float _share;

    /// <summary>The surplus over ⟨w, w⟩; 0 if it is not finite, so that a gradient that isn't stays where it is.</summary>
    public static float Share(double surplus, double square) => (float)(surplus / square) is var share && float.IsFinite(share) ? share : 0;

    /// <summary>Begins a step.</summary>
    /// <param name="largest">The largest magnitude of the weights.</param>
    public void Begin(float largest) => _unit = MathF.Min(1 / largest, float.MaxValue);

    /// <summary>The sums of a piece, to be added up and set by <see cref="Set"/>.</summary>
    public RadialSums Start() => new() { Unit = _unit };

    /// <summary>Sets the sums of a piece.</summary>
    public void Set(int piece, in RadialSums sums) => _sums[piece] = sums;

    /// <summary>Adds up the pieces, once all are set.</summary>
    public void Total()
    {
        var (surplus, square) = (0.0, 0.0);
        foreach (ref readonly var sums in _sums.AsSpan())
            (surplus, square) = (surplus + sums.Surplus, square + sums.Square);
        _share = Share(surplus, square);
    }

    /// <summary>Takes the surplus from the gradients of weights.</summary>
    public void Correct(float* weight, float* gradient, int length)
    {
        if (_share != 0)
            Subtract(weight, gradient, _share, _unit, length);
    }

    /// <summary>g ← g − share·(unit·w).</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Subtract(float* weight, float* gradient, float share, float unit, int length)
    {
        var (shares, units) = (Vector.Create(-share), Vector.Create(unit));
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            Vector.MultiplyAddEstimate(shares, units * Vector.Load(weight + i), Vector.Load(gradient + i)).Store(gradient + i);
        for (; i < length; i++)
            gradient[i] -= share * (unit * weight[i]);
    }
}
