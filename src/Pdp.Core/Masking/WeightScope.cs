using Pdp.Numerics.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes a weight, each element of which has its own mask, through a scope.</summary>
internal sealed unsafe class WeightScope : MemoryScope
{
    private readonly Parameter _parameter;
    private readonly PdpMask _mask;
    private readonly IMaskKernel _kernel;
    private readonly TaylorMemory? _taylor;
    private readonly RadialCorrection _radial;
    private readonly KeyBracket _bracket = new();
    private Tensor? _copy;
    private float* _weight;
    private float* _dense;
    private int _cut;

    private WeightScope(string subject, Parameter parameter, PdpMask mask, IMaskKernel kernel)
        : base(subject, [parameter], [parameter])
    {
        _parameter = parameter;
        _mask = mask;
        _kernel = kernel;
        _taylor = TaylorMemory.For(mask);
        _radial = new(kernel.Pieces);
    }

    /// <inheritdoc/>
    public override long Elements => _mask.Layout.Elements;

    /// <inheritdoc/>
    public override int Pieces => _kernel.Pieces;

    /// <inheritdoc/>
    public override bool Measures => _taylor is not null;

    /// <summary>Makes the scope of a weight; null if its strategy isn't supported, or if it is too large.</summary>
    public static WeightScope? For(string subject, PdpMask mask, Parameter parameter) => mask.Strategy switch
    {
        _ when mask.Layout.Elements > int.MaxValue / sizeof(float) => null,
        Unstructured => new(subject, parameter, mask, new UnstructuredKernel(mask.Layout.Elements)),
        NofM strategy when strategy.Of <= IGroupBoundaries.MostMembers =>
            new(subject, parameter, mask, new NofMKernel(strategy.Of, mask.Layout)),
        _ => null,
    };

    /// <summary>
    /// What the code of the kernels depends on: M and the stride of N:M groups, (1, 1) if the whole weight competes; and the gradient.
    /// </summary>
    public static (long Members, long Stride, bool HasGradientTemperature, bool IsCorrected) KindOf(PdpMask mask)
    {
        var (members, stride) = mask.Strategy is NofM groups ? (groups.Of, NofMKernel.StrideOf(mask.Layout)) : (1, 1);
        var gradient = mask.GradientTemperature;
        return (members, stride, gradient is not null, (gradient ?? mask.Temperature).HasRadialCorrection);
    }

    /// <inheritdoc/>
    public override bool Prepare(RankSearch search)
    {
        if (_kernel is NofMKernel groups)
        {
            groups.Set(_mask.Removed, _mask.Sharpness, _mask.GradientSharpness);
            return BeginSums(search.Largest((int*)_weight, Elements));
        }

        var competing = _taylor is null ? null : _taylor.Competing;
        var keys = (int*)(competing is null ? _weight : competing);
        if (!search.Find(keys, Elements, _mask.Removed - 1, _bracket, out var key, out var above))
            return false;

        _cut = key;
        ((UnstructuredKernel)_kernel).Set(
            BitConverter.Int32BitsToSingle(key),
            BitConverter.Int32BitsToSingle(above),
            _mask.Sharpness,
            _mask.GradientSharpness,
            competing);
        return BeginSums(competing is null || !_mask.IsRadiallyCorrected ? search.LargestKey : search.Largest((int*)_weight, Elements));
    }

    /// <inheritdoc/>
    public override void Measure(int piece) => _taylor?.Measure(piece, _weight);

    /// <inheritdoc/>
    public override void Enter(int piece) => _kernel.Enter(piece, _weight, _dense);

    /// <inheritdoc/>
    public override GroupValues Dense() => new(_copy!.clone(), []);

    /// <inheritdoc/>
    public override MaskStatistics? Measured()
    {
        if (_taylor is not null)
            return null;

        _weight = NativeTensor.Elements(_parameter.Handle, Elements);
        var search = new RankSearch((int)Math.Clamp(Elements / 32, 1 << 13, 1 << 18), runner: null);
        if (_weight is null || !Prepare(search))
            return null;

        var statistics = new MaskStatistics();
        if (_kernel is NofMKernel groups)
            groups.AddTo(statistics, _weight, _mask.Removed);
        else
            ((UnstructuredKernel)_kernel).AddTo(statistics, _weight, _mask.Removed, _cut);
        GC.KeepAlive(this);
        return statistics;
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        _copy?.Dispose();
        _copy = null;
        _taylor?.Forget();
    }

    public override void Dispose()
    {
        base.Dispose();
        _taylor?.Dispose();
    }

    /// <inheritdoc/>
    protected override bool Find()
    {
        _weight = NativeTensor.Elements(_parameter.Handle, Elements);
        if (_weight is null || (_taylor is not null && (_mask.Removed == 0 || !_taylor.Find())))
            return false;

        _copy ??= NewCopy();
        _dense = NativeTensor.Elements(_copy.Handle, Elements);
        return true;
    }

    /// <inheritdoc/>
    protected override bool IsThere() => !_parameter.IsInvalid && NativeTensor.Elements(_parameter.Handle, Elements) == _weight;

    /// <inheritdoc/>
    /// <remarks>
    /// Learns from the gradient, which is then corrected in its place, or added to the earlier one in the same pass over memory.
    /// </remarks>
    protected override bool Restore(int piece, bool correctsGradient)
    {
        var gradient = correctsGradient ? Gradients[0].Arrived : null;
        var sum = correctsGradient ? Gradients[0].Before : null;
        if (gradient is not null)
            _taylor?.Learn(piece, gradient);
        if (gradient is null || !IsRadiallyCorrected)
            return _kernel.Leave(piece, _weight, _dense, gradient, sum, radial: null);

        var sums = _radial.Start();
        var isUnchanged = _kernel.Leave(piece, _weight, _dense, gradient, sum, &sums);
        _radial.Set(piece, sums);
        return isUnchanged;
    }

    /// <inheritdoc/>
    public override void TotalSurplus() => _radial.Total();

    /// <inheritdoc/>
    public override void TakeSurplus(int piece)
    {
        var (start, length) = _kernel.Extent(piece);
        var target = Gradients[0].Before is null ? Gradients[0].Arrived : Gradients[0].Before;
        _radial.Correct(_weight + start, target + start, length);
    }

    /// <inheritdoc/>
    protected override void Learned() => _taylor?.Accept();

    /// <summary>Begins the sums of a step; false if the largest weight is not finite.</summary>
    private bool BeginSums(int largest)
    {
        IsRadiallyCorrected = _mask.IsRadiallyCorrected;
        _radial.Begin(BitConverter.Int32BitsToSingle(largest));
        return largest < KeyScan.Infinity;
    }

    private Tensor NewCopy()
    {
        using var scope = NewDisposeScope();
        using var _ = inference_mode(false);
        return empty(_parameter.shape, _parameter.dtype, _parameter.device).DetachFromDisposeScope();
    }
}
