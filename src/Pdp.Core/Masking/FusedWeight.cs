using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>A float32 weight on the CPU, masked by kernels on its memory: the same results as <see cref="SoftMask"/>'s to rounding.</summary>
/// <remarks>
/// Borrows the parameter and its dense copy; owns native handles of gradients while a scope is open. Addresses are taken anew at every
/// step, as a parameter's memory may be another one by then.
/// </remarks>
internal sealed unsafe class FusedWeight : IFusedWeight, IDisposable
{
    private readonly Parameter _parameter;
    private readonly PdpMask _mask;
    private readonly IMaskKernel _kernel;
    private readonly KeyBracket _bracket = new();
    private readonly VersionMark _version;
    private readonly NativeGradient _gradient;
    private float* _weight;
    private float* _dense;
    private int _cut;
    private int _changes;

    private FusedWeight(Parameter parameter, PdpMask mask, IMaskKernel kernel)
    {
        _parameter = parameter;
        _mask = mask;
        _kernel = kernel;
        _version = new(parameter);
        _gradient = new(parameter, Elements);
        Subject = $"'{mask.Name}'";
    }

    /// <inheritdoc/>
    public string Subject { get; }

    /// <inheritdoc/>
    public long Elements => _mask.Layout.Elements;

    /// <inheritdoc/>
    public int Pieces => _kernel.Pieces;

    /// <inheritdoc/>
    public bool IsClaimed { get; private set; }

    /// <inheritdoc/>
    public bool IsInside { get; private set; }

    /// <summary>Whether the weights are where they were, so that w is back in their place.</summary>
    public bool IsRestored { get; private set; }

    /// <summary>Whether the weight was not ŵ any more at the end of the scope.</summary>
    public bool IsChanged => _changes != 0;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool GradientArrived { get; private set; }

    /// <summary>Whether that gradient is left to the tensor operations, as its memory is not the kernels' kind.</summary>
    public bool LeavesGradient { get; private set; }

    /// <summary>The kernels for a weight; null if it is not of their kind.</summary>
    public static FusedWeight? For(Parameter parameter, PdpMask mask)
    {
        if (!NativeTensor.IsSupported || parameter.dtype != ScalarType.Float32 || parameter.device_type != DeviceType.CPU || mask.Layout.Elements > int.MaxValue / sizeof(float))
            return null;

        return mask.Strategy switch
        {
            Unstructured => new(parameter, mask, new UnstructuredKernel(mask.Layout.Elements)),
            NofM strategy when strategy.Of <= IGroupBoundaries.MostMembers => new(parameter, mask, new NofMKernel(strategy.Of, mask.Layout)),
            _ => null,
        };
    }

    /// <summary>Takes the weight through the coming scope if its memory is of the kernels' kind.</summary>
    /// <param name="dense">Where w is kept, of the weight's shape.</param>
    public bool Claim(Tensor dense)
    {
        _weight = NativeTensor.Elements(_parameter.Handle, Elements);
        _dense = NativeTensor.Elements(dense.Handle, Elements);
        (IsRestored, LeavesGradient, GradientArrived, _changes) = (true, false, false, 0);
        IsClaimed = _weight is not null && _dense is not null;
        return IsClaimed;
    }

    /// <inheritdoc/>
    public void Measure(int piece)
    {
    }

    /// <inheritdoc/>
    public bool Prepare(RankSearch search)
    {
        if (_kernel is NofMKernel groups)
        {
            groups.Set(_mask.Removed, _mask.Sharpness);
            return search.Largest((int*)_weight, Elements) < KeyScan.Infinity;
        }

        if (!search.Find((int*)_weight, Elements, _mask.Removed - 1, _bracket, out var key, out var above))
            return false;

        _cut = key;
        ((UnstructuredKernel)_kernel).Set(BitConverter.Int32BitsToSingle(key), BitConverter.Int32BitsToSingle(above), _mask.Sharpness);
        return true;
    }

    /// <summary>What a report says of the soft mask of now; null if the weight's memory is not of the kernels' kind, or a weight is not finite.</summary>
    public Survey? Measured()
    {
        _weight = NativeTensor.Elements(_parameter.Handle, Elements);
        var search = new RankSearch((int)Math.Clamp(Elements / 32, 1 << 13, 1 << 18), crew: null);
        if (_weight is null || !Prepare(search))
            return null;

        var survey = new Survey();
        if (_kernel is NofMKernel groups)
            groups.AddTo(survey, _weight, _mask.Removed);
        else
            ((UnstructuredKernel)_kernel).AddTo(survey, _weight, _mask.Removed, _cut);
        GC.KeepAlive(this);
        return survey;
    }

    /// <inheritdoc/>
    public void Enter(int piece) => _kernel.Enter(piece, _weight, _dense);

    /// <inheritdoc/>
    public void Entered()
    {
        _version.Change();
        _gradient.SetAside();
        IsInside = true;
    }

    /// <inheritdoc/>
    public void BeginLeave()
    {
        IsRestored = !_parameter.IsInvalid && NativeTensor.Elements(_parameter.Handle, Elements) == _weight;
        _gradient.Arrive();
        GradientArrived = _gradient.HasArrived;
        LeavesGradient = !IsRestored || !_gradient.IsPlain;
    }

    /// <inheritdoc/>
    public void Leave(int piece)
    {
        if (!IsRestored)
            return;

        var upstream = LeavesGradient ? null : _gradient.Arrived;
        if (!_kernel.Leave(piece, _weight, _dense, upstream, upstream is null ? null : _gradient.Before))
            Interlocked.Increment(ref _changes);
    }

    /// <inheritdoc/>
    public void Left()
    {
        IsInside = false;
        if (LeavesGradient)
            return;

        _version.Change();
        _gradient.PutBack();
    }

    /// <summary>Gives up the claim.</summary>
    public void Release() => IsClaimed = false;

    /// <summary>The gradient that was set aside, where the kernels leave it to the tensor operations; the caller's.</summary>
    public Tensor? TakeGradientBefore() => _gradient.TakeBefore();

    public void Dispose()
    {
        _version.Dispose();
        _gradient.Dispose();
    }
}
