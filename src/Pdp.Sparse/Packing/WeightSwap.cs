using Pdp.Sparse.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Packing;

/// <summary>Removes the weight of a layer; disposing restores it: the same parameter with the same bits.</summary>
/// <remarks>
/// The layer's field holds a weight on libtorch's meta device, which has the shape and no data: the layer's <c>forward</c>, past the
/// hooks, gives no numbers, and <c>to</c> moves nothing. The module's list of parameters holds a sparse tensor of the same shape:
/// libtorch refuses to save it or to load into it. The parameter itself is emptied in the meantime, whoever else holds it.
/// </remarks>
internal sealed class WeightSwap : IDisposable
{
    /// <summary>The device of tensors that have a shape and no data.</summary>
    public static readonly Device Meta = new(DeviceType.META);

    private static readonly Scalar NaN = float.NaN.ToScalar();

    private readonly Module _module;
    private readonly Parameter _weight;
    private readonly Func<Tensor> _dense;
    private readonly Tensor? _gradient;
    private readonly Parameter _absent;
    private readonly Parameter _listed;
    private readonly VersionWatch _versions;

    /// <summary>Takes a weight away.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="dense">Makes the dense weight again; freed here.</param>
    public WeightSwap(Layer layer, Func<Tensor> dense)
    {
        using var scope = NewDisposeScope();
        using var normal = inference_mode(false);
        using var _ = no_grad();
        (_module, _weight, _dense) = (layer.Module, layer.Weight, dense);
        var shape = _weight.shape;
        _absent = Kept(empty(shape, ScalarType.Float32, Meta));
        _listed = Kept(NotANumber(shape));
        using var nothing = empty(0, ScalarType.Float32, CPU);
        // After all that may fail for want of memory, which would lose the gradient.
        _gradient = _weight.grad?.DetachFromDisposeScope();
        _weight.grad = null;
        SetMemory(nothing);
        LayerFields.Weight(_module) = _absent;
        LayerFields.Listed(_module)["weight"] = _listed;
        _versions = new(_absent, _listed, _weight);
    }

    /// <summary>Whether neither the stand-ins nor the emptied weight were changed in place.</summary>
    public bool IsUnchanged => _versions.IsUnchanged;

    /// <summary>Whether they were, in a layer that is to get its weight back.</summary>
    public bool IsEdited => Stands && !_absent.IsInvalid && !_listed.IsInvalid && !_weight.IsInvalid && !IsUnchanged;

    /// <summary>Whether the layer still has the stand-in for its weight.</summary>
    public bool Stands => ReferenceEquals(LayerFields.Weight(_module), _absent);

    public void Dispose()
    {
        using var scope = NewDisposeScope();
        using var normal = inference_mode(false);
        using var _ = no_grad();
        ref var field = ref LayerFields.Weight(_module);
        if (Stands && !_absent.IsInvalid)
            GiveBack(ref field);
        else
            GiveBackTo(field);
        _gradient?.Dispose();
        _absent.Dispose();
        _listed.Dispose();
    }

    private void GiveBack(ref Parameter? field)
    {
        using (var dense = _dense())
            SetMemory(dense);
        if (_gradient is not null)
            _weight.grad = _gradient;
        field = _weight;
        LayerFields.Listed(_module)["weight"] = _weight;
    }

    /// <summary>The model was disposed, the layer was given another weight, or <c>to</c> converted the stand-in.</summary>
    private void GiveBackTo(Parameter? other)
    {
        if (other is { IsInvalid: false, device_type: DeviceType.META })
        {
            using var dense = _dense();
            var converted = Parameter(dense.to(other.dtype, copy: true), _weight.requires_grad);
            if (_module is TorchSharp.Modules.Linear linear)
                linear.weight = converted;
            else
                ((Convolution)_module).weight = converted;
        }

        _weight.Dispose();
    }

    // Parameters that were made in inference mode can be changed only there, and others can be changed there too.
    private void SetMemory(Tensor source)
    {
        using var _ = inference_mode();
        _weight.set_(source);
    }

    private static Parameter Kept(Tensor tensor) => (Parameter)Parameter(tensor, requires_grad: false).DetachFromDisposeScope();

    // A sparse tensor with one element, NaN: code that sums it or makes it dense can't miss that.
    private static Tensor NotANumber(long[] shape)
    {
        using var scope = NewDisposeScope();
        var first = zeros([shape.Length, 1], ScalarType.Int64, CPU);
        return sparse_coo_tensor(first, full([1], NaN, ScalarType.Float32, CPU), shape).MoveToOuterDisposeScope();
    }
}
