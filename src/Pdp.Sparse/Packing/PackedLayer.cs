using Pdp.Sparse.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Packing;

/// <summary>A layer that computes on its nonzeros; disposal gives it its dense weight back.</summary>
/// <remarks>
/// <para>
/// In the layer's field stands a weight on libtorch's meta device, which has the shape and no data: the layer's <c>forward</c>, past the
/// hooks, gives no numbers, and <c>to</c> has nothing to move. In the module's list of parameters stands a sparse tensor of the same
/// shape: libtorch refuses to save it and to load into it. The parameter itself is emptied and comes back in the end.
/// </para>
/// <para>It owns the product, the two stand-ins, and the parameter in the meantime.</para>
/// </remarks>
internal sealed class PackedLayer : IDisposable
{
    private static readonly Device Meta = new(DeviceType.META);
    private static readonly Scalar NaN = float.NaN.ToScalar();

    private readonly Layer _layer;
    private readonly ISparseProduct _product;
    private readonly Parameter _weight;
    private readonly ExactWeight _exact;
    private readonly Tensor? _gradient;
    private readonly byte[]? _bias;
    private readonly Parameter _absent;
    private readonly Parameter _listed;
    private readonly Tensor _stub;
    private readonly LayerHooks _hooks;

    /// <summary>Puts a product in the place of a layer's weight.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="product">The product; owned from now on.</param>
    public PackedLayer(Layer layer, ISparseProduct product)
    {
        using var normal = inference_mode(false);
        using var _ = no_grad();
        (_layer, _product, _weight) = (layer, product, layer.Weight);
        _exact = ExactWeight.Of(_weight);
        _bias = layer.Bias?.bytes.ToArray();
        _gradient = _weight.grad?.DetachFromDisposeScope();
        var shape = _weight.shape;
        _absent = Kept(empty(shape, device: Meta));
        _listed = Kept(NotANumber(shape));
        _stub = empty(StubShape(), device: Meta).DetachFromDisposeScope();
        _weight.grad = null;
        using (var nothing = empty(0))
            SetMemory(nothing);
        LayerFields.Weight(layer.Module) = _absent;
        LayerFields.Listed(layer.Module)["weight"] = _listed;
        _hooks = new(layer.Module, _stub, Compute);
    }

    /// <summary>Packs a layer.</summary>
#pragma warning disable CA2000 // The packed layer owns the product.
    public static PackedLayer Of(Layer layer) => new(layer, layer.Pack(layer.Weight, new Epilogue(layer.Bias)));
#pragma warning restore CA2000

    /// <summary>The memory of the packed form, in bytes.</summary>
    public long Bytes => _product.Bytes + _exact.Bytes;

    /// <summary>The dense weight; the caller's.</summary>
    public Tensor ToDense() => _exact.ToDense();

    public void Dispose()
    {
        using var normal = inference_mode(false);
        using var _ = no_grad();
        _hooks.Dispose();
        Restore();
        _gradient?.Dispose();
        _absent.Dispose();
        _listed.Dispose();
        _stub.Dispose();
        _product.Dispose();
    }

    private void Restore()
    {
        using var scope = NewDisposeScope();
        ref var field = ref LayerFields.Weight(_layer.Module);
        if (!ReferenceEquals(field, _absent) || field.IsInvalid)
        {
            RestoreOther(field);
            return;
        }

        SetMemory(ToDense());
        if (_gradient is not null)
            _weight.grad = _gradient;
        field = _weight;
        LayerFields.Listed(_layer.Module)["weight"] = _weight;
    }

    /// <summary>The model was disposed, or someone gave the layer another weight, or <c>to</c> converted the stand-in.</summary>
    private void RestoreOther(Parameter? other)
    {
        if (other is { IsInvalid: false, device_type: DeviceType.META })
        {
            var converted = new Parameter(ToDense().to(other.dtype), _weight.requires_grad);
            if (_layer.Module is Linear linear)
                linear.weight = converted;
            else
                ((Convolution)_layer.Module).weight = converted;
        }

        _weight.Dispose();
    }

    // Parameters made in inference mode can only be changed in it, and others can be changed there as well.
    private void SetMemory(Tensor source)
    {
        using var _ = inference_mode();
        _weight.set_(source);
    }

    private Tensor Compute(Tensor input)
    {
        Require(input);
        return _product.Run(input);
    }

    private void Require(Tensor input)
    {
        if (_layer.Module.training)
            throw new InvalidOperationException($"The packed layer '{_layer.Name}' can't be trained: call Unpack() first, or model.eval().");
        if (input.requires_grad && is_grad_enabled())
        {
            throw new InvalidOperationException(
                $"The input of the packed layer '{_layer.Name}' requires a gradient, which packed layers don't give: call the model under "
                + "torch.no_grad() or torch.inference_mode(), or call Unpack() first.");
        }

        if (!ReferenceEquals(LayerFields.Weight(_layer.Module), _absent))
        {
            throw new InvalidOperationException(
                $"The weight of the packed layer '{_layer.Name}' was replaced or converted: call Unpack() before that, and pack afterwards.");
        }

        RequireBias();
        if (_hooks.AreShared)
        {
            throw new InvalidOperationException(
                $"The packed layer '{_layer.Name}' got a hook, which would not see its tensors: call Unpack() first, and pack afterwards "
                + "(layers with hooks stay dense).");
        }
    }

    private void RequireBias()
    {
        var bias = _layer.Bias;
        if (bias is null ? _bias is null : _bias is not null && bias.bytes.SequenceEqual(_bias))
            return;
        throw new InvalidOperationException(
            $"The bias of the packed layer '{_layer.Name}' was changed: call Unpack() before that, and pack afterwards.");
    }

    private static Parameter Kept(Tensor tensor)
    {
        return (Parameter)Parameter(tensor, requires_grad: false).DetachFromDisposeScope();
    }

    private static Tensor NotANumber(long[] shape)
    {
        using var scope = NewDisposeScope();
        var first = zeros([shape.Length, 1], ScalarType.Int64);
        return sparse_coo_tensor(first, full([1], NaN), shape).MoveToOuterDisposeScope();
    }

    /// <summary>No inputs of the smallest size.</summary>
    private long[] StubShape()
    {
        if (_layer.Module is not Convolution convolution)
            return [0, _weight.shape[1]];
        return [0, _weight.shape[1], .. convolution.kernel_size.Zip(convolution.dilation, (size, step) => (step * (size - 1)) + 1)];
    }
}
