using Pdp.Channels;
using Pdp.Internal;
using Pdp.Masks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp;

/// <summary>Tied channels under one mask: the filters that make them, scored together, and their companions, which are masked along.</summary>
/// <remarks>
/// Biases and the scales and shifts of norms take the mask too. A norm divides the mask of a filter out again, so without them a channel would be
/// as loud at m = 0.01 as at 1, get no gradient through its mask, and vanish all at once in the end.
/// </remarks>
internal sealed class MaskedChannels : IMaskedWeight
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly SliceView[] _filters;
    private readonly SliceView[] _companions;
    private readonly Parameter[] _parameters;
    private readonly (ScalarType Type, DeviceType Device, int Index)[] _places;
    private readonly Tensor?[] _gradientsBefore;
    private readonly Scalar _smallestNormal;
    private readonly DeferredCheck _notFinite;
    private readonly DeferredCheck _changedInside;
    private Tensor? _dense;
    private Tensor? _threshold;
    private Tensor? _temperature;
    private Tensor? _kept;
    private Tensor[] _denseCompanions = [];
    private MaskForm _form;
    private bool _isInside;

    public MaskedChannels(PdpMask mask, IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions)
    {
        Mask = mask;
        _filters = [.. filters];
        _companions = [.. companions];
        _parameters = [.. _filters.Concat(_companions).Select(view => view.Parameter).Distinct()];
        _places = [.. _parameters.Select(PlaceOf)];
        _gradientsBefore = new Tensor?[_parameters.Length];
        Type = _filters[0].Parameter.dtype;
        _smallestNormal = Precision.SmallestNormalOf(Type).ToScalar();
        _notFinite = new(_filters[0].Parameter.device_type);
        _changedInside = new(_filters[0].Parameter.device_type);
    }

    public PdpMask Mask { get; }

    public ScalarType Type { get; }

    public Tensor? Frozen => _kept;

    private bool IsIdentity => Mask.Removed == 0 && _kept is null;

    private string NotFinite => $"'{Mask.Name}' or what is tied to it holds NaN or infinity: lower the learning rate or clip the gradients, and reload the last good checkpoint.";

    private string ChangedInside => $"'{Mask.Name}' was changed inside the mask scope, and the change is lost: call optimizer.step() after the scope, not in it.";

    public Tensor Value()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return cat([.. _filters.Select(view => view.Read())], 1).MoveToOuterDisposeScope();
    }

    public void RequireAttached()
    {
        foreach (var (parameter, place) in _parameters.Zip(_places))
        {
            if (parameter.IsInvalid || PlaceOf(parameter) != place)
                throw new InvalidOperationException($"'{Mask.Name}' or what is tied to it was moved or replaced after the pruner was made: make the pruner (and the optimizer) after model.to(…).");
        }
    }

    public void RequireFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!_parameters.All(parameter => parameter.isfinite().all().cpu().ReadCpuBool(0)))
            throw new InvalidOperationException(NotFinite);
    }

    public void Enter(MaskForm form)
    {
        if (IsIdentity)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _form = form;
        if (_kept is null)
            SetAside();
        Write(_kept is null ? Expected() : Silenced());
        foreach (var (i, parameter) in _parameters.Index())
        {
            _gradientsBefore[i] = parameter.grad?.DetachFromDisposeScope();
            parameter.grad = null;
        }

        _isInside = true;
    }

    public string? Leave(out bool gradientArrived)
    {
        gradientArrived = false;
        if (!_isInside)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _isInside = false;
        var changed = _kept is null && PutBack();
        gradientArrived = CorrectGradients();
        AddGradientsBefore();
        return changed ? ChangedInside : null;
    }

    public bool ChangedSinceLeft()
    {
        if (_dense is null || _kept is not null)
            return false;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Value().ne(_dense).any().cpu().ReadCpuBool(0);
    }

    public string? TakeDeferredFault() =>
        _notFinite.Take() ? NotFinite : _changedInside.Take() ? ChangedInside : null;

    public void Commit(MaskForm form)
    {
        if (IsIdentity)
            return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (_kept is null)
        {
            _form = form;
            SetAside();
            Write(Expected());
            Freeze(Mask.Kept(_dense!));
        }
        else
        {
            Write(Silenced());
        }
    }

    public void Restore(bool isCommitted)
    {
        using var scope = NewDisposeScope();
        if (isCommitted && Mask.Removed > 0)
            Freeze(Mask.Kept(Value()));
        else
            Own(ref _kept, null);
    }

    public void Dispose()
    {
        Own(ref _dense, null);
        Own(ref _threshold, null);
        Own(ref _temperature, null);
        Own(ref _kept, null);
        OwnCompanions([]);
        foreach (var gradient in _gradientsBefore)
            gradient?.Dispose();
        _notFinite.Dispose();
        _changedInside.Dispose();
        _smallestNormal.Dispose();
    }

    private static (ScalarType Type, DeviceType Device, int Index) PlaceOf(Parameter parameter) =>
        parameter.IsInvalid ? default : (parameter.dtype, parameter.device_type, parameter.device_index);

    private static void Own(ref Tensor? field, Tensor? value)
    {
        field?.Dispose();
        field = value?.DetachFromDisposeScope();
    }

    private void OwnCompanions(Tensor[] values)
    {
        foreach (var before in _denseCompanions)
            before.Dispose();
        _denseCompanions = [.. values.Select(value => value.DetachFromDisposeScope())];
    }

    private void Freeze(Tensor kept)
    {
        Own(ref _kept, kept);
        Own(ref _dense, null);
        OwnCompanions([]);
    }

    /// <summary>Takes the dense weights, their threshold and their τ.</summary>
    private void SetAside()
    {
        var dense = Value();
        var companions = _companions.Select(view => view.Read()).ToArray();
        var finite = companions.Append(dense).Select(values => values.isfinite().all()).Aggregate((a, b) => a.logical_and(b));
        if (_notFinite.Note(finite.logical_not()))
            throw new InvalidOperationException(NotFinite);

        var (threshold, temperature, _) = Mask.BoundaryOf(Precision.Widen(dense));
        Own(ref _dense, dense);
        OwnCompanions(companions);
        Own(ref _threshold, threshold);
        Own(ref _temperature, temperature);
    }

    /// <summary>ŵ of the filters and of each companion, with subnormal numbers as zeros.</summary>
    private Tensor[] Expected()
    {
        var wide = Precision.Widen(_dense!);
        var factor = Factor(wide);
        return [.. _denseCompanions.Prepend(_dense!).Select(values => Flushed(Precision.Widen(values).mul(factor)).to_type(values.dtype))];
    }

    /// <summary>What is there, without what the hard mask removes.</summary>
    private Tensor[] Silenced()
    {
        var kept = KeptOfEach();
        return [.. _companions.Select(view => view.Read()).Prepend(Value()).Select(values => values.mul(kept))];
    }

    /// <summary>What each channel is multiplied by, <c>[channels, 1]</c>.</summary>
    private Tensor Factor(Tensor wide)
    {
        var kept = _form == MaskForm.Soft ? null : Mask.Kept(wide).narrow(1, 0, 1);
        if (_form == MaskForm.Raw)
            return kept!.to_type(wide.dtype);

        var mask = Mask.Strategy.Spread(SoftMask.Mask(Mask.LogitOf(wide, _threshold!, _temperature!)), Mask.Layout);
        return kept is null ? mask : mask.mul(kept);
    }

    private Tensor Flushed(Tensor masked) => masked.mul_(masked.abs().ge_(_smallestNormal));

    private Tensor KeptOfEach() => _kept!.narrow(1, 0, 1);

    /// <summary>Writes values for the filters, side by side, and for each companion.</summary>
    private void Write(Tensor[] values)
    {
        var offset = 0L;
        foreach (var view in _filters)
        {
            view.Write(values[0].narrow(1, offset, view.Width));
            offset += view.Width;
        }

        foreach (var (view, value) in _companions.Zip(values.Skip(1)))
            view.Write(value);
    }

    /// <summary>Writes w back; true if ŵ had been changed.</summary>
    private bool PutBack()
    {
        var now = _companions.Select(view => view.Read()).Prepend(Value());
        var changed = now.Zip(Expected(), (is_, was) => is_.ne(was).any()).Aggregate((a, b) => a.logical_or(b));
        Write([_dense!, .. _denseCompanions]);
        return _changedInside.Note(changed);
    }

    private bool CorrectGradients()
    {
        var companions = _companions.Select(view => view.ReadGradient()).ToArray();
        var filters = _filters.Select(view => view.ReadGradient()).ToArray();
        if (filters.Concat(companions).All(gradient => gradient is null))
            return false;

        var upstream = cat([.. filters.Zip(_filters, (gradient, view) => gradient ?? view.Read().zero_())], 1);
        var (factor, corrected) = Corrected(Precision.Widen(upstream), companions);
        var offset = 0L;
        foreach (var view in _filters)
        {
            view.WriteGradient(corrected.narrow(1, offset, view.Width));
            offset += view.Width;
        }

        foreach (var (view, gradient) in _companions.Zip(companions))
        {
            if (gradient is not null)
                view.WriteGradient(gradient.mul(factor));
        }

        return true;
    }

    /// <summary>What companions' gradients are multiplied by, and the filters' gradient, equation 5.</summary>
    private (Tensor Factor, Tensor Filters) Corrected(Tensor upstream, Tensor?[] companions)
    {
        if (_kept is not null)
            return (KeptOfEach(), upstream.mul(KeptOfEach()));

        var wide = Precision.Widen(_dense!);
        var factor = Factor(wide);
        if (_form == MaskForm.Raw)
            return (factor, upstream.mul(factor));

        var logit = Mask.LogitOf(wide, _threshold!, _temperature!);
        var gradient = SoftMask.Gradient(wide, upstream, logit, _temperature!, Mask.Strategy, Mask.Layout, SumOf(companions));
        return (factor, _form == MaskForm.Soft ? gradient : gradient.mul_(Mask.Kept(wide)));
    }

    /// <summary>Σ(g·θ) of each channel over its companions, <c>[1, channels]</c>; null if none has a gradient.</summary>
    private Tensor? SumOf(Tensor?[] gradients) => gradients
        .Zip(_denseCompanions, (gradient, value) => gradient is null ? null : Precision.Widen(gradient).mul(Precision.Widen(value)).sum(1).reshape(1, -1))
        .OfType<Tensor>()
        .Aggregate((Tensor?)null, (sum, share) => sum is null ? share : sum.add(share, One));

    private void AddGradientsBefore()
    {
        foreach (var (i, parameter) in _parameters.Index())
        {
            if (_gradientsBefore[i] is not { } before)
                continue;

            using var arrived = parameter.grad;
            if (arrived is not null)
                before.add_(arrived, One);
            parameter.grad = before;
            before.Dispose();
            _gradientsBefore[i] = null;
        }
    }
}
