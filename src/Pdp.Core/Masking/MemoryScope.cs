using Pdp.Numerics;
using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes a group in and out of a scope in its own memory: the same as <see cref="TensorScope"/>, but faster.</summary>
/// <remarks>
/// For float32 parameters on the CPU, under PDP's mask or a committed one. Works in pieces, which may run at the same time. Borrows
/// the parameters; owns copies of what it masks, and native handles of gradients while a scope is open. Addresses are read again at every
/// step, as a parameter's memory may have been replaced.
/// </remarks>
internal abstract class MemoryScope : IDisposable
{
    private readonly Parameter[] _masked;
    private readonly VersionMark[] _versions;
    private int _changes;
    private bool _isToNote;

    /// <summary>Makes what all kinds share.</summary>
    /// <param name="subject">The group's name in messages.</param>
    /// <param name="parameters">All parameters.</param>
    /// <param name="masked">Those that ŵ is written to.</param>
    protected MemoryScope(string subject, IReadOnlyList<Parameter> parameters, IEnumerable<Parameter> masked)
    {
        Subject = subject;
        Gradients = [.. parameters.Select(parameter => new GradientMemory(parameter, parameter.numel()))];
        _masked = [.. masked];
        _versions = [.. _masked.Select(parameter => new VersionMark(parameter))];
    }

    /// <summary>The group's name in messages.</summary>
    public string Subject { get; }

    /// <summary>The number of weights that make the scores.</summary>
    public abstract long Elements { get; }

    /// <summary>The pieces of each pass.</summary>
    public abstract int Pieces { get; }

    /// <summary>Whether <see cref="Measure"/> computes the scores first: sums over several weights, or an importance.</summary>
    public virtual bool Measures => false;

    /// <summary>Whether it takes the group through the scope that is open or about to be.</summary>
    public bool IsClaimed { get; private set; }

    /// <summary>Whether ŵ is replacing w, or has replaced it.</summary>
    public bool IsInside { get; private set; }

    /// <summary>Whether the memory has not moved inside the scope, so that w is back in its place.</summary>
    public bool IsRestored { get; private set; }

    /// <summary>Whether a weight was no longer ŵ at the end of the scope.</summary>
    public bool IsChanged => _changes != 0;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool GradientArrived { get; private set; }

    /// <summary>
    /// Whether the gradients are left to tensor operations, because their memory, or the weights', isn't supported.
    /// </summary>
    public bool LeavesGradient { get; private set; }

    /// <summary>Whether <see cref="TakeSurplus(int)"/> has to follow on the pieces, once all have left.</summary>
    public bool HasSurplus => IsRadiallyCorrected && GradientArrived && !LeavesGradient;

    /// <summary>Whether the gradient of the scope is corrected along the weights, as <see cref="Radial"/> does.</summary>
    protected bool IsRadiallyCorrected { get; set; }

    /// <summary>The gradients, by parameter.</summary>
    protected GradientMemory[] Gradients { get; }

    /// <summary>Whether the weights change once more when the scope ends.</summary>
    protected virtual bool WritesAtTheEnd => true;

    /// <summary>Makes the scope of a group; null if no kind supports it.</summary>
    public static MemoryScope? For(string subject, PdpMask mask, GroupSlices slices) => !IsSupported(slices) ? null : mask.Strategy switch
    {
        _ when !TaylorMemory.Supports(mask) => null,
        PerChannel => ChannelScope.For(subject, mask, slices),
        _ => WeightScope.For(subject, mask, slices.Lone!),
    };

    /// <summary>Makes the scope of a group under a committed mask, <c>[groups, members]</c>; null if no kind supports it.</summary>
    public static MemoryScope? ForCommitted(string subject, PdpMask mask, GroupSlices slices, Tensor kept) =>
        IsSupported(slices) ? CommittedScope.For(subject, mask, slices, kept) : null;

    /// <summary>Claims the group for the next scope if its memory is supported.</summary>
    public bool Claim()
    {
        IsClaimed = Find();
        (IsRestored, LeavesGradient, GradientArrived, _changes) = (true, false, false, 0);
        return IsClaimed;
    }

    /// <summary>Releases the claim.</summary>
    public void Release() => IsClaimed = false;

    /// <summary>Computes the scores of a piece; called if <see cref="Measures"/>.</summary>
    public virtual void Measure(int piece)
    {
    }

    /// <summary>Finds the threshold and the scale, once all pieces are measured; false if a weight is not finite.</summary>
    public abstract bool Prepare(RankSearch search);

    /// <summary>Keeps a copy of w and writes ŵ.</summary>
    public abstract void Enter(int piece);

    /// <summary>Sets the gradients aside, before all pieces.</summary>
    public void BeginEnter()
    {
        foreach (var gradient in Gradients)
            gradient.SetAside();
        IsInside = true;
    }

    /// <summary>Notes that the weights have changed, after all pieces.</summary>
    public void Entered()
    {
        foreach (var version in _versions)
            version.Change();
    }

    /// <summary>Finds the gradients that have arrived, and whether memory has moved, before all pieces.</summary>
    public void BeginLeave()
    {
        IsRestored = IsThere();
        LeavesGradient = !IsRestored;
        foreach (var gradient in Gradients)
        {
            gradient.Arrive();
            GradientArrived |= gradient.HasArrived;
            LeavesGradient |= !gradient.IsPlain;
        }
    }

    /// <summary>Puts w back and corrects the gradients.</summary>
    public void Leave(int piece)
    {
        if (IsRestored && !Restore(piece, correctsGradient: GradientArrived && !LeavesGradient))
            Interlocked.Increment(ref _changes);
    }

    /// <summary>Adds up the surplus along the weights, once all pieces have left.</summary>
    public virtual void TotalSurplus()
    {
    }

    /// <summary>Takes it from the gradient of a piece.</summary>
    public virtual void TakeSurplus(int piece)
    {
    }

    /// <summary>Puts back the gradients that were set aside, after all pieces.</summary>
    public void Left()
    {
        (IsInside, _isToNote) = (false, !LeavesGradient && WritesAtTheEnd);
        if (LeavesGradient)
            return;

        foreach (var gradient in Gradients)
        {
            AddUp(gradient);
            gradient.PutBack();
        }

        if (GradientArrived)
            Learned();
    }

    /// <summary>Notes that the weights have changed once more, if they have just left.</summary>
    public void NoteLeft()
    {
        if (!_isToNote)
            return;

        _isToNote = false;
        foreach (var version in _versions)
            version.Change();
    }

    /// <summary>The values as they were before the scope, the caller's; null if they still are.</summary>
    public abstract GroupValues? Dense();

    /// <summary>The gradients that were set aside, by parameter; the caller's.</summary>
    public Tensor?[] TakeGradientsBefore() => [.. Gradients.Select(gradient => gradient.TakeBefore())];

    /// <summary>Statistics of the current soft mask for a report; null if tensor operations have to compute them.</summary>
    public virtual MaskStatistics? Measured() => null;

    /// <summary>Releases copies that the next scope would make again.</summary>
    public virtual void Forget()
    {
    }

    public virtual void Dispose()
    {
        Forget();
        foreach (var version in _versions)
            version.Dispose();
        foreach (var gradient in Gradients)
            gradient.Dispose();
    }

    /// <summary>Finds the memory; false if it is not contiguous.</summary>
    protected abstract bool Find();

    /// <summary>Whether the memory is still where it was found.</summary>
    protected abstract bool IsThere();

    /// <summary>Puts w back; false if a weight was no longer ŵ.</summary>
    protected abstract bool Restore(int piece, bool correctsGradient);

    /// <summary>Adds the gradient that has arrived to the earlier one, if the pieces haven't done so.</summary>
    protected virtual void AddUp(GradientMemory gradient)
    {
    }

    /// <summary>Takes over what the pieces have learned from the gradient, after all of them.</summary>
    protected virtual void Learned()
    {
    }

    private static bool IsSupported(GroupSlices slices) => NativeTensor.IsSupported && slices.Parameters.All(IsFloatOnCpu);

    private static bool IsFloatOnCpu(Parameter parameter) =>
        parameter.dtype == ScalarType.Float32 && parameter.device_type == DeviceType.CPU;
}
