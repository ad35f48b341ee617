using Pdp.Internal;
using Pdp.Masking;
using Pdp.Numerics.Kernels;
using TorchSharp;

namespace Pdp.Watching;

/// <summary>
/// Turns silent misuse into errors: remembers errors in a scope, whose end must not throw, and throws them in the next call.
/// </summary>
/// <remarks>
/// Watches the first parameter under each mask, as an optimizer steps all of them. Only the costly checks allocate memory in a step.
/// </remarks>
internal sealed class MisuseWatch : IDisposable
{
    /// <summary>The largest number of mask scopes counted; JSON readers represent whole numbers exactly up to it.</summary>
    public const long MostTrainingScopes = 1L << 53;

    // So many consecutive scopes without a gradient, each followed by a backward pass and a step, can't be a coincidence.
    private const int MostWithoutGradient = 16;

    // So many steps with a gradient that was never zeroed can't be a coincidence: weights may be clamped between micro-batches.
    private const int MostWithoutZero = 16;

    /// <summary>Costly checks run only in this many first scopes: an error in a loop occurs in every iteration.</summary>
    private const int CostlyChecks = 8;
    private const int CostlyPeriod = 1024;

    private readonly UnmaskedWatch _unmasked;
    private readonly MaskGroup[] _weights;
    private readonly ParameterWatch[] _watches;
    private readonly GradientWatch?[] _gradients;
    private string? _fault;
    private bool _recordsGradients;
    private bool _lacksGradients;
    private int _withoutGradient;

    public MisuseWatch(IEnumerable<MaskGroup> weights)
    {
        _weights = NativeTensor.IsSupported ? [.. weights] : [];
        _watches = [.. _weights.Select(weight => new ParameterWatch(weight.Mask.Name, weight.Parameters[0]))];
        _gradients = GradientWatch.Among(_weights);
        _unmasked = new(() => _watches.Any(watch => watch.CarriesGradient()));
        Accept();
    }

    /// <summary>
    /// The number of mask scopes in which gradients were recorded since pruning began; part of a pruner's state, so that a resumed run
    /// behaves the same.
    /// </summary>
    public long TrainingScopes { get; private set; }

    private bool IsThorough => TrainingScopes % CostlyPeriod < CostlyChecks;

    private bool WatchesGradients => _recordsGradients && IsThorough;

    /// <summary>Throws the error of the last scope, once.</summary>
    public void ThrowFault()
    {
        if (_fault is not { } fault)
            return;

        _fault = null;
        throw new InvalidOperationException(fault);
    }

    public void Restore(long trainingScopes, bool isCommitted)
    {
        TrainingScopes = trainingScopes;
        _fault = null;
        _lacksGradients = false;
        _withoutGradient = 0;
        _unmasked.Reset(isCommitted);
        Accept();
    }

    /// <summary>Accepts the weights as they are now, after the library itself has changed them.</summary>
    public void Accept()
    {
        foreach (var watch in _watches)
            watch.Accept(mayWait: IsThorough);
    }

    /// <summary>Accepts the weights as a commit has left them.</summary>
    public void Committed(double epoch)
    {
        Accept();
        _unmasked.Committed(epoch);
    }

    /// <summary>Accepts the weights as they are now, after a method may have written zeros; steps seen so far still count.</summary>
    public void Refresh()
    {
        foreach (var watch in _watches)
            watch.Refresh();
    }

    /// <summary>Checks that no whole epoch of pruning passed without a training scope.</summary>
    public void RequireScopes(double epoch)
    {
        Look();
        _unmasked.Require(epoch);
    }

    /// <summary>Checks that the weights that are about to be committed were trained under masks.</summary>
    public void RequireMasked()
    {
        Look();
        _unmasked.RequireMasked();
    }

    public void Begin(double epoch, bool isPruning) => _unmasked.Begin(epoch, isPruning);

    /// <summary>Checks the last scope and what followed it, and prepares for the next one.</summary>
    public void RequireOrder(bool isPruning)
    {
        Look();
        if (_lacksGradients)
            RequireBackwardInside();
        for (var i = 0; i < _watches.Length; i++)
        {
            if (_watches[i].StepsWithoutZero >= MostWithoutZero)
                ThrowWithoutZero(_watches[i].Name);
            _watches[i].Enter(_weights[i].IsMasking, mayWait: IsThorough);
        }

        _recordsGradients = isPruning && torch.is_grad_enabled();
        for (var i = 0; WatchesGradients && i < _gradients.Length; i++)
            _gradients[i]?.Prepare(_watches[i].HasStepped);
    }

    public void Enter()
    {
        _unmasked.Enter();
        for (var i = 0; WatchesGradients && i < _gradients.Length; i++)
        {
            if (_weights[i].IsMasking)
                _gradients[i]?.Enter();
        }

        TrainingScopes = Math.Min(TrainingScopes + (_recordsGradients ? 1 : 0), MostTrainingScopes);
    }

    /// <summary>Examines the gradients before they are used, and restores their own type.</summary>
    public void LeaveGradients()
    {
        foreach (var gradient in _gradients)
        {
            try
            {
                _fault = gradient?.Leave() ?? _fault;
                if (gradient is { IsDropped: true })
                    _unmasked.Dropped();
            }
#pragma warning disable CA1031 // The end of a scope must not throw; the next call will.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                _fault = $"The gradients of a mask scope could not be examined: {fault.Message}";
            }
        }
    }

    /// <summary>Leaves one weight and remembers an error; returns true if a gradient arrived.</summary>
    public bool Leave(MaskGroup weight)
    {
        try
        {
            _fault = weight.Leave(out var gradientArrived) ?? _fault;
            return gradientArrived;
        }
#pragma warning disable CA1031 // The end of a scope must not throw; the next call will.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _fault = $"The mask scope of '{weight.Mask.Name}' could not be closed: {fault.Message}";
            return false;
        }
    }

    public void Left(bool gradientArrived)
    {
        _lacksGradients = _recordsGradients && !gradientArrived;
        if (gradientArrived)
        {
            _withoutGradient = 0;
            _unmasked.Trained();
            foreach (var watch in _watches)
                watch.Trained();
        }

        Accept();
    }

    /// <summary>Remembers a fault that was recorded on a device.</summary>
    public void Note(string? fault) => _fault ??= fault;

    public void Dispose()
    {
        foreach (var gradient in _gradients)
            gradient?.Dispose();
    }

    private void Look()
    {
        foreach (var watch in _watches)
        {
            if (watch.Look(mayWait: IsThorough))
                _unmasked.Stepped();
            else if (watch.MayBeTrained)
                _unmasked.MayHaveStepped();
        }
    }

    /// <summary>
    /// Checks that no backward pass came after the scope instead of inside it: it leaves a gradient where there was none, unlike steps of
    /// other networks and loaded weights.
    /// </summary>
    private void RequireBackwardInside()
    {
        _lacksGradients = false;
        string? moved = null;
        foreach (var watch in _watches)
        {
            if (watch.HasStepped && !watch.HadGradient && watch.HasGradient)
                throw Outside(watch.Name);
            if (watch.HasStepped && watch.HasSeenGradient)
                moved = watch.Name;
        }

        _withoutGradient = moved is null ? 0 : _withoutGradient + 1;
        if (_withoutGradient < MostWithoutGradient)
            return;

        _withoutGradient = 0;
        throw Outside(moved!);
    }

    private static InvalidOperationException Outside(string weight) =>
        new(
            $"'{weight}' was stepped after a mask scope in which no gradient arrived: call backward() inside the scope, and evaluate under "
            + "no_grad.");

    private void ThrowWithoutZero(string weight)
    {
        foreach (var watch in _watches)
            watch.ForgetSteps();
        throw new InvalidOperationException(Faults.NeverZeroed(weight));
    }
}
