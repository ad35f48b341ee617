using System.Diagnostics;
using Pdp.Sparse.Folding;
using Pdp.Sparse.Hooks;
using Pdp.Sparse.Kernels;
using Pdp.Sparse.Layers;
using Pdp.Sparse.Packing;
using static TorchSharp.torch;

namespace Pdp.Sparse.Trials;

/// <summary>A layer that computes with any of its forms, while its own weight stays where it is.</summary>
/// <remarks>It owns the forms until one is taken out.</remarks>
internal sealed class TrialLayer : IDisposable
{
    private readonly Dictionary<LayerForm, ISparseProduct> _forms = [];
    private readonly Tensor _stub;
    private readonly Tensor _metaStub;
    private readonly LayerHooks _hooks;
    private readonly Medians _clock;
    private WeightSwap? _swap;
    private double _secondsLeft;
    private (double Dense, double Packed) _times;

    /// <summary>Puts hooks on a layer.</summary>
    /// <param name="weight">Its weight.</param>
    /// <param name="fold">What may be folded into it.</param>
    /// <param name="isPackable">Whether a packed form may pay off.</param>
    /// <param name="clock">Times calls.</param>
    public TrialLayer(WeightEntry weight, LayerFold fold, bool isPackable, Medians clock)
    {
        (Weight, Layer, IsPackable, _clock) = (weight, weight.Layer!, isPackable, clock);
        Fold = DenseForm.IsFor(Layer) ? fold : LayerFold.None;
        _stub = zeros(Layer.StubShape(), ScalarType.Float32, CPU).DetachFromDisposeScope();
        _metaStub = empty(Layer.StubShape(), ScalarType.Float32, WeightSwap.Meta).DetachFromDisposeScope();
        _hooks = new(Layer.Module, _stub, Compute);
    }

    /// <summary>The weight.</summary>
    public WeightEntry Weight { get; }

    /// <summary>The layer.</summary>
    public Layer Layer { get; }

    /// <summary>Whether a packed form may pay off.</summary>
    public bool IsPackable { get; }

    /// <summary>What is folded into every form but its own code.</summary>
    public LayerFold Fold { get; private set; }

    /// <summary>The form that it computes with.</summary>
    public LayerForm Form { get; set; }

    /// <summary>The dense form with the same folding, in the layout of its own weight.</summary>
    public LayerForm PlainForm => Fold.IsNone ? LayerForm.Dense : LayerForm.Folded;

    /// <summary>The dense form with the same folding, and with channels last where that is possible.</summary>
    public LayerForm BestForm =>
        DenseForm.IsFor(Layer) && Layer.Module is TorchSharp.Modules.Conv2d ? LayerForm.ChannelsLast : PlainForm;

    /// <summary>Why it has no other form although that would be faster; null if there is no such reason.</summary>
    public string? Refusal { get; set; }

    /// <summary>
    /// The median times of all its calls, dense with the same folding and packed, in milliseconds; null if it was not timed.
    /// </summary>
    public (double Dense, double Packed)? Times => _times.Packed > 0 ? _times : null;

    /// <summary>The packed form's time as a fraction of the dense one's; NaN if it was not timed.</summary>
    public double Ratio => _times.Packed / _times.Dense;

    /// <summary>Times the layer in its calls from now on.</summary>
    /// <param name="seconds">About how long the timing may take over all calls.</param>
    public void Watch(double seconds) => _secondsLeft = seconds;

    /// <summary>Removes the weight as packing does, or restores it.</summary>
    public void Hide(bool isHidden)
    {
        _hooks.Stub = isHidden ? _metaStub : _stub;
        if (isHidden)
        {
            var weight = Layer.Weight.detach().DetachFromDisposeScope();
            _swap = new(Layer, () => weight);
            return;
        }

        _swap?.Dispose();
        _swap = null;
    }

    /// <summary>Gives up folding.</summary>
    public void Unfold()
    {
        DropForms();
        Fold = LayerFold.None;
    }

    /// <summary>Takes out the form that it computes with, which is not its own code.</summary>
    public ISparseProduct Take()
    {
        var form = FormOf(Form);
        _forms.Remove(Form);
        return form;
    }

    public void Dispose()
    {
        Hide(false);
        _hooks.Dispose();
        _stub.Dispose();
        _metaStub.Dispose();
        DropForms();
    }

    private void DropForms()
    {
        foreach (var form in _forms.Values)
            form.Dispose();
        _forms.Clear();
    }

    private Tensor? Compute(Tensor input)
    {
        if (_secondsLeft > 0)
            Time(input);
        if (Form == LayerForm.Dense)
            return null;
        var output = FormOf(Form).Run(input);
        FoldedCalls.Announce(output, Fold.Followers);
        return output;
    }

    /// <summary>Times both forms, with the cost of hooks if they have any.</summary>
    private void Time(Tensor input)
    {
        var start = Stopwatch.GetTimestamp();
        var packed = FormOf(LayerForm.Packed);
        var dense = PlainForm == LayerForm.Dense ? null : FormOf(PlainForm);
        var medians = _clock(_secondsLeft / 2,
            () => (dense is null ? Layer.Module.forward(input) : Stubbed(dense, input)).Dispose(),
            () => Stubbed(packed, input).Dispose());
        _times = (_times.Dense + medians[0], _times.Packed + medians[1]);
        _secondsLeft -= Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private Tensor Stubbed(ISparseProduct form, Tensor input)
    {
        Layer.Module.forward(_stub).Dispose();
        return form.Run(input);
    }

    private ISparseProduct FormOf(LayerForm form)
    {
        if (!_forms.TryGetValue(form, out var product))
            _forms[form] = product = LayerForms.Make(Layer, Fold, form);
        return product;
    }
}
