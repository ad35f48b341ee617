using Pdp.Numerics.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Kernels that take what stands under one mask in and out of a scope, on its memory: the same as tensor operations, faster.</summary>
/// <remarks>
/// For float32 parameters on the CPU under PDP's mask. Piece by piece; pieces may run at the same time. Borrows the parameters; owns copies of what
/// it masks, and native handles of gradients while a scope is open. Addresses are taken anew at every step, as a parameter's memory may be another
/// one by then.
/// </remarks>
internal abstract class GroupKernel : IDisposable
{
    private readonly Parameter[] _masked;
    private readonly VersionMark[] _versions;
    private int _changes;

    /// <summary>Makes the common part.</summary>
    /// <param name="subject">What it is, for messages.</param>
    /// <param name="parameters">All parameters.</param>
    /// <param name="masked">Those that ŵ is written to.</param>
    protected GroupKernel(string subject, IReadOnlyList<Parameter> parameters, IEnumerable<Parameter> masked)
    {
        Subject = subject;
        Gradients = [.. parameters.Select(parameter => new NativeGradient(parameter, parameter.numel()))];
        _masked = [.. masked];
        _versions = [.. _masked.Select(parameter => new VersionMark(parameter))];
    }

    /// <summary>What it is, for messages.</summary>
    public string Subject { get; }

    /// <summary>The number of weights that make the scores.</summary>
    public abstract long Elements { get; }

    /// <summary>The pieces of each pass.</summary>
    public abstract int Pieces { get; }

    /// <summary>Whether a score is made of many weights, and measured before.</summary>
    public virtual bool Measures => false;

    /// <summary>Whether the kernels take the group through the scope that is open or about to be.</summary>
    public bool IsClaimed { get; private set; }

    /// <summary>Whether ŵ is in the place of w.</summary>
    public bool IsInside { get; private set; }

    /// <summary>Whether everything is where it was, so that w is back in its place.</summary>
    public bool IsRestored { get; private set; }

    /// <summary>Whether something was not ŵ any more at the end of the scope.</summary>
    public bool IsChanged => _changes != 0;

    /// <summary>Whether a gradient arrived in the scope.</summary>
    public bool GradientArrived { get; private set; }

    /// <summary>Whether the gradients are left to the tensor operations, as their memory, or that of the weights, is not the kernels' kind.</summary>
    public bool LeavesGradient { get; private set; }

    /// <summary>The gradients, by parameter.</summary>
    protected NativeGradient[] Gradients { get; }

    /// <summary>The kernels for a group; null if it is not of their kind.</summary>
    public static GroupKernel? For(string subject, PdpMask mask, GroupSlices slices)
    {
        if (!NativeTensor.IsSupported || !slices.Parameters.All(parameter => parameter.dtype == ScalarType.Float32 && parameter.device_type == DeviceType.CPU))
            return null;

        return mask.Strategy switch
        {
            PerChannel => ChannelKernel.For(subject, mask, slices),
            _ => WeightKernel.For(subject, mask, slices.Lone!),
        };
    }

    /// <summary>Takes the group through the coming scope if its memory is of the kernels' kind.</summary>
    public bool Claim()
    {
        IsClaimed = Find();
        (IsRestored, LeavesGradient, GradientArrived, _changes) = (true, false, false, 0);
        return IsClaimed;
    }

    /// <summary>Gives up the claim.</summary>
    public void Release() => IsClaimed = false;

    /// <summary>Takes the scores of a piece, where they are measured.</summary>
    public virtual void Measure(int piece)
    {
    }

    /// <summary>Finds what the mask hangs on, after all measures; false if a weight is not finite.</summary>
    public abstract bool Prepare(RankSearch search);

    /// <summary>Keeps w and puts ŵ in its place.</summary>
    public abstract void Enter(int piece);

    /// <summary>Sets the gradients aside, after all pieces.</summary>
    public void Entered()
    {
        foreach (var version in _versions)
            version.Change();
        foreach (var gradient in Gradients)
            gradient.SetAside();
        IsInside = true;
    }

    /// <summary>Looks what became of the group in the scope, before all pieces.</summary>
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

    /// <summary>Puts the gradients that were set aside back, after all pieces.</summary>
    public void Left()
    {
        IsInside = false;
        if (LeavesGradient)
            return;

        foreach (var version in _versions)
            version.Change();
        foreach (var gradient in Gradients)
        {
            AddUp(gradient);
            gradient.PutBack();
        }
    }

    /// <summary>The values as they were before the scope; the caller's.</summary>
    public abstract GroupValues Dense();

    /// <summary>The gradients that were set aside, by parameter; the caller's.</summary>
    public Tensor?[] TakeGradientsBefore() => [.. Gradients.Select(gradient => gradient.TakeBefore())];

    /// <summary>What a report says of the soft mask of now; null where tensor operations have to say it.</summary>
    public virtual Survey? Measured() => null;

    /// <summary>Gives copies up that the next scope would make anew.</summary>
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

    /// <summary>Looks where the memory is; false if it is not plain.</summary>
    protected abstract bool Find();

    /// <summary>Whether the memory is still where it was found.</summary>
    protected abstract bool IsThere();

    /// <summary>Puts w back; false if it was not ŵ any more.</summary>
    protected abstract bool Restore(int piece, bool correctsGradient);

    /// <summary>Adds what has arrived to what was before, where the pieces have not.</summary>
    protected virtual void AddUp(NativeGradient gradient)
    {
    }
}
