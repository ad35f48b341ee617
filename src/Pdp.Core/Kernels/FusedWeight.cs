using Pdp.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Kernels;

/// <summary>A float32 weight on the CPU, masked by kernels on its memory: the same results as <see cref="SoftMask"/>'s to rounding.</summary>
/// <remarks>
/// Borrows the parameter and its dense copy; owns native handles of gradients while a scope is open. Addresses are taken anew at every
/// step, as a parameter's memory may be another one by then.
/// </remarks>
internal sealed unsafe class FusedWeight : IDisposable
{
    private readonly Parameter _parameter;
    private readonly PdpMask _mask;
    private readonly IMaskKernel _kernel;
    private readonly KeyBracket _bracket = new();
    private Tensor? _versions;
    private float* _weight;
    private float* _dense;
    private nint _gradientBefore;
    private nint _gradient;
    private float* _upstream;
    private float* _sum;
    private int _changes;

    private FusedWeight(Parameter parameter, PdpMask mask, IMaskKernel kernel)
    {
        _parameter = parameter;
        _mask = mask;
        _kernel = kernel;
    }

    /// <summary>The weight's name.</summary>
    public string Name => _mask.Name;

    /// <summary>The number of weights.</summary>
    public long Elements => _mask.Layout.Elements;

    /// <summary>The pieces of the kernel's passes.</summary>
    public int Pieces => _kernel.Pieces;

    /// <summary>Whether the kernels take the weight through the scope that is open or about to be.</summary>
    public bool IsClaimed { get; private set; }

    /// <summary>Whether ŵ is in the place of w.</summary>
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
            NofM strategy when strategy.Of <= GroupBoundaries.MostMembers => new(parameter, mask, new NofMKernel(strategy.Of, mask.Layout)),
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

    /// <summary>Finds the threshold, if there is one for the whole weight; false if a weight is not finite.</summary>
    public bool Prepare(RankSearch search)
    {
        var temperature = (float)_mask.TemperatureValue;
        if (_kernel is NofMKernel groups)
        {
            groups.Set(_mask.Removed, temperature, _mask.Temperature.IsRelative);
            return search.Largest((int*)_weight, Elements) < KeyScan.Infinity;
        }

        if (!search.Find((int*)_weight, Elements, _mask.Removed - 1, _bracket, out var key, out var above))
            return false;

        ((UnstructuredKernel)_kernel).Set(BitConverter.Int32BitsToSingle(key), BitConverter.Int32BitsToSingle(above), temperature, _mask.Temperature.IsRelative);
        return true;
    }

    /// <summary>Keeps w and puts ŵ in its place.</summary>
    public void Enter(int piece) => _kernel.Enter(piece, _weight, _dense);

    /// <summary>Sets the gradient aside, after all pieces.</summary>
    public void Entered()
    {
        MarkChanged();
        _gradientBefore = NativeTensor.Gradient(_parameter.Handle);
        if (_gradientBefore != 0)
            NativeTensor.SetGradient(_parameter.Handle, 0);
        IsInside = true;
    }

    /// <summary>Looks what became of the weight in the scope, before all pieces.</summary>
    public void BeginLeave()
    {
        IsRestored = !_parameter.IsInvalid && NativeTensor.Elements(_parameter.Handle, Elements) == _weight;
        _gradient = _parameter.IsInvalid ? 0 : NativeTensor.Gradient(_parameter.Handle);
        GradientArrived = _gradient != 0;
        _upstream = _gradient == 0 ? null : NativeTensor.Elements(_gradient, Elements);
        _sum = _gradientBefore == 0 || _upstream is null ? null : NativeTensor.Elements(_gradientBefore, Elements);
        LeavesGradient = !IsRestored || (GradientArrived && (_upstream is null || (_gradientBefore != 0 && _sum is null)));
        if (LeavesGradient)
        {
            _upstream = null;
            _sum = null;
        }
    }

    /// <summary>Puts w back and corrects the gradient.</summary>
    public void Leave(int piece)
    {
        if (IsRestored && !_kernel.Leave(piece, _weight, _dense, _upstream, _sum))
            Interlocked.Increment(ref _changes);
    }

    /// <summary>Puts the gradient that was set aside back, after all pieces.</summary>
    public void Left()
    {
        IsInside = false;
        if (LeavesGradient)
            return;

        MarkChanged();
        if (_gradientBefore != 0)
            NativeTensor.SetGradient(_parameter.Handle, _gradientBefore);
        ReleaseGradients();
    }

    /// <summary>Gives up the claim.</summary>
    public void Release() => IsClaimed = false;

    /// <summary>The gradient that was set aside, where the kernels leave it to the tensor operations; the caller's.</summary>
    public Tensor? TakeGradientBefore()
    {
        Tensor? before = null;
        if (_gradientBefore != 0 && !_parameter.IsInvalid)
        {
            // The one way to a managed tensor of a handle is through the parameter.
            NativeTensor.SetGradient(_parameter.Handle, _gradientBefore);
            before = _parameter.grad;
            NativeTensor.SetGradient(_parameter.Handle, _gradient);
        }

        ReleaseGradients();
        return before;
    }

    public void Dispose()
    {
        _versions?.Dispose();
        ReleaseGradients();
    }

    /// <summary>Tells autograd that the weight changed, which writing to its memory doesn't: a backward pass over the old values is an error.</summary>
    private void MarkChanged()
    {
        // An operation in place on no elements: it shares the weight's version, and allocates nothing.
        _versions ??= VersionsOf(_parameter);
        _versions.neg_();
    }

    private static Tensor VersionsOf(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        return parameter.detach().view(-1).narrow(0, 0, 0).DetachFromDisposeScope();
    }

    private void ReleaseGradients()
    {
        NativeTensor.Release(_gradientBefore);
        NativeTensor.Release(_gradient);
        (_gradientBefore, _gradient) = (0, 0);
    }
}
