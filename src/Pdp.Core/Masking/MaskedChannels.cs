using Pdp.Internal;
using Pdp.Methods;
using Pdp.Numerics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Channels under one mask: the filters that make them, scored together, and their companions, which are masked along.</summary>
/// <remarks>
/// Companions are biases and the scales and shifts of norms. A norm divides the mask of a filter out again, so without them a channel would be as
/// loud at m = 0.01 as at 1, get no gradient through its mask, and vanish all at once in the end. Where all that read the channels see them
/// behind norms, the norms carry the soft mask alone: masked filters would change nothing there but the norms' running statistics, which
/// then lag behind.
/// </remarks>
internal sealed class MaskedChannels : IMaskedWeight
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Parameter? _lone;
    private readonly TiedSlices _slices;
    private readonly bool _masksFilters;
    private readonly WeightLayout _layout;
    private readonly string _subject;
    private readonly Attachment _attachment;
    private readonly EarlierGradient[] _earlier;
    private readonly StepChecks _checks;
    private readonly Scalar _smallestNormal;
    private IChannelRule _rule;
    private FusedChannels? _fused;
    private Tensor? _dense;
    private Tensor? _kept;
    private Tensor[] _denseCompanions = [];
    private MaskForm _form;
    private bool _isInside;

    /// <summary>Masks a group.</summary>
    /// <param name="mask">The mask, of the layout <c>[channels, weights of all filters]</c>.</param>
    /// <param name="filters">The filters.</param>
    /// <param name="companions">What is masked along.</param>
    /// <param name="isNormalized">Whether the norms carry the soft mask alone.</param>
    public MaskedChannels(PdpMask mask, IReadOnlyList<SliceView> filters, IReadOnlyList<SliceView> companions, bool isNormalized)
    {
        Mask = mask;
        _slices = new(filters, companions);
        _masksFilters = !isNormalized;
        _layout = new WeightLayout([mask.Members, _slices.Width]);
        _subject = _slices.Parameters.Length > 1 ? $"'{mask.Name}' or what is tied to it" : $"'{mask.Name}'";
        _attachment = new(_subject, _slices.Parameters);
        _earlier = [.. _slices.Parameters.Select(parameter => new EarlierGradient(parameter))];
        _checks = new(_subject, _slices.Parameters[0].device_type);
        Type = _slices.Parameters[0].dtype;
        _smallestNormal = Precision.SmallestNormalOf(Type).ToScalar();
        _rule = new SoftChannels(mask, _layout);
        _fused = FusedChannels.For(_subject, mask, filters, companions, _masksFilters);
    }

    /// <summary>Masks the channels of a weight for itself.</summary>
    public MaskedChannels(PdpMask mask, Parameter weight)
        : this(mask, [new SliceView(weight, new(mask.Name, mask.Layout.OutputDimension, 0, 1, ChannelRole.Filter), mask.Members)], [], isNormalized: false) =>
        _lone = weight;

    public PdpMask Mask { get; }

    public IReadOnlyList<Parameter> Parameters => _slices.Parameters;

    public bool IsMasking => !IsIdentity || _rule.Observes;

    public IFusedWeight? Fused => _fused;

    public ScalarType Type { get; }

    public Tensor? Frozen { get; private set; }

    public bool IsSoft => _kept is null && _rule.IsSoft;

    private bool IsIdentity => _kept is null && _rule.IsIdentity;

    public MethodLayer AsLayer() => new(Mask, _lone);

    public void Follow(IMethodRun run, int number)
    {
        _rule.Dispose();
        _fused?.Dispose();
        _rule = new MethodChannels(Mask, run, number);
        _fused = null;
    }

    public void Follow(IImportance importance)
    {
        _fused?.Dispose();
        _fused = null;
        Mask.Importance = new(importance, _layout.Dimensions);
    }

    public Tensor Magnitude()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Mask.MagnitudeOf(Precision.Widen(_slices.Filters()), _layout).MoveToOuterDisposeScope();
    }

    public Tensor Value() => _lone is not null ? _lone.detach() : _slices.Filters();

    public Tensor Kept()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return Mask.Strategy.Spread(KeptChannels(_slices.Filters()).reshape(1, -1), Mask.Layout).MoveToOuterDisposeScope();
    }

    public void RequireAttached() => _attachment.Require();

    public void RequireFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!_slices.Parameters.All(parameter => parameter.isfinite().all().cpu().ReadCpuBool(0)))
            throw new InvalidOperationException(Faults.NotFinite(_subject));
    }

    /// <remarks>Kernels only take note of the group here; <see cref="FusedModel"/> then enters all that they have.</remarks>
    public void Enter(MaskForm form)
    {
        if (!IsMasking)
            return;

        _form = form;
        if (form == MaskForm.Soft && _kept is null && _fused?.Claim() == true)
        {
            Forget();
            return;
        }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (_kept is null)
            SetAside();
        Write(_kept is null ? Expected() : Silenced());
        foreach (var gradient in _earlier)
            gradient.SetAside();
        _isInside = true;
    }

    public string? Leave(out bool gradientArrived)
    {
        gradientArrived = false;
        if (_fused is { IsClaimed: true })
        {
            _fused.Release();
            gradientArrived = _fused.GradientArrived;
            if (_fused.LeavesGradient)
                FinishWithTensors(_fused);
            return _fused.IsRestored && !_fused.IsChanged ? null : _checks.ChangedInside;
        }

        if (!_isInside)
            return null;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _isInside = false;
        var changed = _kept is null && PutBack();
        gradientArrived = CorrectGradients();
        return changed ? _checks.ChangedInside : null;
    }

    public string? TakeDeferredFault() => _checks.Take();

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
            Freeze(_rule.Factors(Precision.Widen(_dense!), form).Hard);
        }
        else
        {
            Write(Silenced());
        }
    }

    public void Restore(Tensor? kept)
    {
        using var scope = NewDisposeScope();
        Freeze(kept?.to(_slices.Parameters[0].device).reshape(-1, 1).clone());
    }

    public void Dispose()
    {
        Freeze(null);
        foreach (var gradient in _earlier)
            gradient.Dispose();
        _checks.Dispose();
        _smallestNormal.Dispose();
        _rule.Dispose();
        _fused?.Dispose();
        Mask.Importance?.Dispose();
    }

    /// <summary>Gives up what tensor operations have set aside, which kernels do themselves.</summary>
    private void Forget()
    {
        if (_dense is null)
            return;

        _rule.Forget();
        Own(ref _dense, null);
        OwnCompanions([]);
    }

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

    /// <summary>Fixes the channels that are kept, <c>[channels, 1]</c>, or gives up those that were.</summary>
    private void Freeze(Tensor? kept)
    {
        Frozen?.Dispose();
        Frozen = kept is null ? null : Mask.Strategy.Spread(kept.reshape(1, -1), Mask.Layout).DetachFromDisposeScope();
        Own(ref _kept, kept);
        Forget();
    }

    private Tensor KeptChannels(Tensor filters) => _rule.Kept(Precision.Widen(filters));

    /// <summary>Takes the dense weights, and what the mask of the scope hangs on.</summary>
    private void SetAside()
    {
        var (dense, companions) = (_slices.Filters(), _slices.Companions());
        _checks.RequireFinite(companions.Append(dense).Select(values => values.isfinite().all()).Aggregate((a, b) => a.logical_and(b)));
        SetAside(dense, companions);
    }

    private void SetAside(Tensor dense, Tensor[] companions)
    {
        Own(ref _dense, dense);
        OwnCompanions(companions);
        _rule.Begin(Precision.Widen(dense));
    }

    /// <summary>Does what the kernels had to leave: memory that is not where it was, and gradients that are not of their kind.</summary>
    private void FinishWithTensors(FusedChannels fused)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        SetAside(fused.Filters(), fused.Companions());
        foreach (var (earlier, gradient) in _earlier.Zip(fused.TakeGradientsBefore()))
            earlier.Take(gradient);
        if (!fused.IsRestored)
            _slices.Write(_dense!, _denseCompanions);
        CorrectGradients();
    }

    /// <summary>ŵ of the filters and of each companion, with subnormal numbers as zeros.</summary>
    private (Tensor Filters, Tensor[] Companions) Expected()
    {
        var (filters, norms) = Factors(_dense!);
        return (Product(_dense!, filters), [.. _denseCompanions.Zip(_slices.AreBiases, (values, isBias) => Product(values, isBias ? filters : norms))]);

        Tensor Product(Tensor values, Tensor? factor)
        {
            if (factor is null)
                return values;
            return Zeros.WithoutSubnormals(Precision.Widen(values).mul(factor), _smallestNormal).to_type(values.dtype);
        }
    }

    /// <summary>What is there, without what the hard mask removes.</summary>
    private (Tensor Filters, Tensor[] Companions) Silenced() =>
        (Zeros.Outside(_kept!, _slices.Filters()), [.. _slices.Companions().Select(values => Zeros.Outside(_kept!, values))]);

    /// <summary>What each channel of filters and biases is multiplied by, <c>[channels, 1]</c>, null for not at all; and of norms.</summary>
    private (Tensor? Filters, Tensor? Norms) Factors(Tensor dense)
    {
        var (hard, whole) = _rule.Factors(Precision.Widen(dense), _form);
        return (_masksFilters ? whole : hard, whole);
    }

    private void Write((Tensor Filters, Tensor[] Companions) values) => _slices.Write(values.Filters, values.Companions);

    /// <summary>Writes w back; true if ŵ had been changed.</summary>
    private bool PutBack()
    {
        var (filters, companions) = Expected();
        var changed = _slices.Companions().Zip(companions, (is_, was) => is_.ne(was).any())
            .Aggregate(_slices.Filters().ne(filters).any(), (a, b) => a.logical_or(b));
        _slices.Write(_dense!, _denseCompanions);
        return _checks.NoteChanged(changed);
    }

    private bool CorrectGradients()
    {
        try
        {
            var arrived = CorrectArrived();
            foreach (var gradient in _earlier)
                gradient.PutBack();
            return arrived;
        }
        catch
        {
            foreach (var gradient in _earlier)
                gradient.Rescue();
            throw;
        }
    }

    private bool CorrectArrived()
    {
        var (filters, companions) = _slices.Gradients();
        if (filters is null)
            return false;

        var upstream = Precision.Widen(filters);
        if (_kept is not null)
            WriteGradients(upstream.mul(_kept), companions, (_kept, _kept));
        else
            CorrectThroughMask(upstream, companions);
        return true;
    }

    /// <summary>Equation 5 for the filters; what else is masked has its gradient multiplied by the same factor.</summary>
    private void CorrectThroughMask(Tensor upstream, Tensor?[] companions)
    {
        var dense = Precision.Widen(_dense!);
        var gate = Gate(companions, upstream, dense);
        var factors = Factors(dense);
        var corrected = factors.Filters is null ? upstream : upstream.mul(factors.Filters);
        if (gate is not null && _rule.ThroughMask(dense, gate, _form) is { } throughMask)
            corrected = corrected.add(throughMask, One);
        WriteGradients(corrected, companions, factors);
        // Last, so that what a method adds to gradients stays as it is.
        if (gate is not null)
            _rule.GateGradient(gate);
        _rule.FilterGradient(upstream);
    }

    private void WriteGradients(Tensor filters, Tensor?[] companions, (Tensor? Filters, Tensor? Norms) factors)
    {
        _slices.WriteGradients(filters, [.. companions.Zip(_slices.AreBiases, (gradient, isBias) => Product(gradient, isBias ? factors.Filters : factors.Norms))]);

        static Tensor? Product(Tensor? gradient, Tensor? factor) => factor is null ? gradient : gradient?.mul(factor);
    }

    /// <summary>∂L/∂m = Σ(g·θ) of each channel over what carries the mask, <c>[1, channels]</c>; null if nothing of that has a gradient.</summary>
    private Tensor? Gate(Tensor?[] companions, Tensor upstream, Tensor wide)
    {
        var shares = companions.Index()
            .Where(pair => pair.Item is not null && (_masksFilters || !_slices.AreBiases[pair.Index]))
            .Select(pair => Product(pair.Item!, _denseCompanions[pair.Index]).sum(1).reshape(1, -1));
        return (_masksFilters ? shares.Append(Mask.Strategy.Sum(Product(upstream, wide), _layout)) : shares)
            .Aggregate((Tensor?)null, (sum, share) => sum is null ? share : sum.add(share, One));

        static Tensor Product(Tensor gradient, Tensor values) => SoftMask.BoundedProduct(Precision.Widen(gradient), Precision.Widen(values));
    }
}
