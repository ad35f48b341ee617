using Pdp.Sparse.Folding;
using Pdp.Sparse.Hooks;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Sparse.Packing;

/// <summary>A layer that computes with another form of its weight; disposal restores its own weight.</summary>
/// <remarks>It owns the form, and what it keeps of the weight.</remarks>
internal sealed class PackedLayer : IDisposable
{
    private readonly Layer _layer;
    private readonly ISparseProduct _form;
    private readonly ExactWeight _exact;
    private readonly WatchedValue _bias;
    private readonly Tensor _stub;
    private readonly WeightSwap _swap;
    private readonly LayerHooks _hooks;
    private readonly ConvolutionSettings _settings;
    private volatile bool _isReported;

    /// <summary>Replaces a layer's weight by a form.</summary>
    /// <param name="settled">The layer and the form, which this owns from now on.</param>
    public PackedLayer(SettledLayer settled)
    {
        using var normal = inference_mode(false);
        using var _ = no_grad();
        (_layer, Fold, Form, _form) = settled;
        _settings = new(_layer.Module);
        _exact = new(_layer.Weight, Fold, _form);
        _bias = new($"{_layer.Name}.bias", () => _layer.Bias);
        _stub = empty(_layer.StubShape(), ScalarType.Float32, WeightSwap.Meta).DetachFromDisposeScope();
        _swap = new(_layer, ToDense);
        _hooks = new(_layer.Module, _stub, Compute);
        Jobs.Shared.Open();
    }

    /// <summary>The layer.</summary>
    public Layer Layer => _layer;

    /// <summary>What is folded into it.</summary>
    public LayerFold Fold { get; }

    /// <summary>The form.</summary>
    public LayerForm Form { get; }

    /// <summary>The memory of the form and of what restores the weight.</summary>
    public long Bytes => _form.Bytes + _exact.Bytes;

    /// <summary>Whether the weight was changed in place, which unpacking undoes, and no call has reported it yet.</summary>
    public bool IsEdited => !_isReported && _swap.IsEdited;

    /// <summary>The layer's own weight; the caller's.</summary>
    public Tensor ToDense() => _exact.ToDense(_form);

    public void Dispose()
    {
        using var normal = inference_mode(false);
        using var _ = no_grad();
        // The first of them allocates, and may fail: then nothing has changed.
        _swap.Dispose();
        _hooks.Dispose();
        _stub.Dispose();
        _form.Dispose();
        Jobs.Shared.Close();
    }

    private Tensor Compute(Tensor input)
    {
        Require(input);
        var output = _form.Run(input);
        FoldedCalls.Announce(output, Fold.Followers);
        return output;
    }

    private void Require(Tensor input)
    {
        if (_layer.Module.training)
        {
            throw new InvalidOperationException(
                $"The packed layer '{_layer.Name}' can't be trained: call Unpack() first, or model.eval().");
        }

        if (input.requires_grad && is_grad_enabled())
        {
            throw new InvalidOperationException(
                $"The input of the packed layer '{_layer.Name}' requires a gradient, which packed layers don't give: call the model under "
                + "torch.no_grad() or torch.inference_mode(), or call Unpack() first.");
        }

        if (!_swap.Stands)
        {
            throw new InvalidOperationException(
                $"The weight of the packed layer '{_layer.Name}' was replaced or converted: call Unpack() before that, and pack "
                + "afterwards.");
        }

        if (!_swap.IsUnchanged)
        {
            _isReported = true;
            throw new InvalidOperationException(
                $"The weight of the packed layer '{_layer.Name}' was changed in place, which packed layers don't see: call Unpack(), which "
                + "restores the weight from before, then change it, and pack afterwards.");
        }

        if (input.dtype != ScalarType.Float32 || input.device_type != DeviceType.CPU)
        {
            throw new InvalidOperationException(
                $"The input of the packed layer '{_layer.Name}' is {input.dtype} on {input.device_type}, and packed layers take Float32 on "
                + "the CPU: call Unpack() before the model is moved or converted.");
        }

        if (!_settings.Stand)
        {
            throw new InvalidOperationException(
                $"A setting of the packed layer '{_layer.Name}' changed, such as its stride: call Unpack() first, and pack afterwards.");
        }

        _bias.Require();
        if (Fold.Norm is { } norm && input.dim() != _layer.Rank)
        {
            throw new InvalidOperationException(
                $"'{norm.Name}' is folded into '{_layer.Name}' for inputs of {_layer.Rank} dimensions, and this one has {input.dim()}: "
                + "pack on an example, with SparseOptions { Fold = false }.");
        }

        if (_hooks.AreShared)
        {
            throw new InvalidOperationException(
                $"The packed layer '{_layer.Name}' got a hook, which would not see its tensors: call Unpack() first, and pack afterwards "
                + "(layers with hooks stay dense).");
        }
    }
}
