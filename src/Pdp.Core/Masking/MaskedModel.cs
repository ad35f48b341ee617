using Pdp.Internal;

namespace Pdp.Masking;

/// <summary>All groups of a model that are masked: they enter a scope together, or not at all.</summary>
/// <remarks>Owns the groups.</remarks>
internal sealed class MaskedModel : IDisposable
{
    private readonly BatchScope[] _batches;
    private readonly MemoryScope?[] _known;
    private MemoryScopes _memory = new([]);

    /// <param name="layers">The pruned layers.</param>
    /// <param name="batches">Batches of them, to be disposed of with the model; null for those that suit their device.</param>
    public MaskedModel(IEnumerable<PrunedLayer> layers, BatchScope[]? batches = null)
    {
        Layers = [.. layers];
        Masks = [.. Layers.Select(layer => layer.Mask)];
        foreach (var mask in Masks)
            mask.Attach();
        _batches = batches ?? BatchPlan.Of(Layers.Select(layer => layer.Group));
        _known = new MemoryScope?[Layers.Length];
    }

    /// <summary>The pruned layers; an array, as enumerating them must not allocate.</summary>
    public PrunedLayer[] Layers { get; }

    public IReadOnlyList<PdpMask> Masks { get; }

    /// <summary>Whether any mask removes anything now.</summary>
    public bool IsPruning
    {
        get
        {
            foreach (var layer in Layers)
            {
                if (layer.Mask.Removed > 0)
                    return true;
            }

            return false;
        }
    }

    /// <summary>The fraction of the prunable weights that the masks currently remove.</summary>
    public double Sparsity => Masks.Sum(mask => mask.RemovedWeights) / (double)Masks.Sum(mask => mask.Layout.Elements);

    /// <summary>The fraction of the prunable weights that the masks will finally remove; 0 until the targets are set.</summary>
    public double TargetSparsity { get; private set; }

    public void SetTargets(IEnumerable<long> targets)
    {
        foreach (var (mask, target) in Masks.Zip(targets))
            mask.Target = target;
        TargetSparsity = Masks.Sum(mask => mask.TargetWeights) / (double)Masks.Sum(mask => mask.Layout.Elements);
    }

    public void Advance(double fraction, double epoch)
    {
        foreach (var layer in Layers)
            layer.Mask.Move(fraction, epoch);
    }

    /// <summary>Checks that all parameters are still the ones that were attached.</summary>
    public void RequireAttached()
    {
        foreach (var layer in Layers)
            layer.Group.RequireAttached();
    }

    /// <summary>Checks that all weights are finite; waits for the device.</summary>
    public void RequireFinite()
    {
        foreach (var layer in Layers)
            layer.Group.RequireFinite();
    }

    /// <summary>The fault that devices other than the CPU have recorded since the last call; null if there is none.</summary>
    public string? TakeDeferredFault()
    {
        string? fault = null;
        foreach (var layer in Layers)
            fault = layer.Group.TakeDeferredFault() ?? fault;
        foreach (var batch in _batches)
            fault = batch.TakeDeferredFault() ?? fault;
        return fault;
    }

    /// <summary>Fixes the hard masks and writes exact zeros; later calls write the zeros again.</summary>
    public void Commit(MaskForm form)
    {
        foreach (var layer in Layers)
            layer.Group.Commit(form);
    }

    /// <summary>Masks all weights, or none if one of them can't be.</summary>
    public void Enter(MaskForm form)
    {
        UpdateMemory();
        try
        {
            foreach (var batch in _batches)
                batch.Claim(form);
            foreach (var layer in Layers)
                layer.Group.Enter(form);
            foreach (var batch in _batches)
                batch.Enter();
            if (_memory.Enter() is { } notFinite)
                throw new InvalidOperationException(Faults.NotFinite(notFinite));
        }
        catch
        {
            TakeOut();
            throw;
        }
    }

    /// <summary>Takes the groups that are claimed out of the scope; <see cref="MaskGroup.Leave"/> of each then returns its fault.</summary>
    public void LeaveMemory() => _memory.Leave();

    public void Dispose()
    {
        foreach (var batch in _batches)
            batch.Dispose();
        foreach (var layer in Layers)
            layer.Group.Dispose();
    }

    /// <summary>Takes all groups out of a scope that could not be entered, each whatever becomes of the others.</summary>
    private void TakeOut()
    {
        Try(_memory.Leave);
        for (var i = Layers.Length - 1; i >= 0; i--)
        {
            var group = Layers[i].Group;
            Try(() => group.Leave(out var _));
        }

        static void Try(Action leave)
        {
            try
            {
                leave();
            }
#pragma warning disable CA1031 // The fault that the caller gets is the first one.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    /// <summary>Takes over the groups' memory scopes, which a commit and a restored state change.</summary>
    private void UpdateMemory()
    {
        var haveChanged = false;
        for (var i = 0; i < Layers.Length; i++)
        {
            haveChanged |= _known[i] != Layers[i].Group.Memory;
            _known[i] = Layers[i].Group.Memory;
        }

        if (haveChanged)
            _memory = new(_known.OfType<MemoryScope>());
    }
}
