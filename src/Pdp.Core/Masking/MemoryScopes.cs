using Pdp.Numerics.Kernels;
using static TorchSharp.torch;

namespace Pdp.Masking;

/// <summary>Takes all groups that are claimed in and out of a scope, with the work spread over as many threads as libtorch uses.</summary>
/// <remarks>
/// Each worker finds the thresholds of small weights one by one; all workers together find those of large ones. Then all weights are
/// written in one pass. The results are the same bit for bit with any number of threads.
/// </remarks>
internal sealed class MemoryScopes : IParallelWork
{
    /// <summary>The size of the largest weight whose threshold is found by one worker.</summary>
    private const int SmallElements = 1 << 18;

    /// <summary>The keys that a worker's search collects, and the most that the caller's does.</summary>
    private const int LeastRoom = 1 << 13;
    private const int MostRoom = 1 << 18;

    private readonly ParallelRunner _runner = new();
    private readonly MemoryScope[] _weights;
    private readonly MemoryScope[] _small;
    private readonly (int Weight, int Piece)[] _pieces;
    private readonly RankSearch[] _searches;
    private readonly bool _measures;
    private Phase _phase;
    private volatile MemoryScope? _notFinite;

    public MemoryScopes(IEnumerable<MemoryScope> weights)
    {
        _weights = [.. weights];
        _measures = _weights.Any(weight => weight.Measures);
        _small = [.. _weights.Where(weight => weight.Elements <= SmallElements)];
        _pieces = [.. _weights.SelectMany((weight, number) => Enumerable.Range(0, weight.Pieces).Select(piece => (number, piece)))];
        var largest = _weights.Length == 0 ? 0 : _weights.Max(weight => weight.Elements);
        _searches = new RankSearch[ParallelRunner.WorkersFor(int.MaxValue)];
        _searches[0] = new((int)Math.Clamp(largest / 32, LeastRoom, MostRoom), _runner);
    }

    private enum Phase
    {
        Measure,
        Prepare,
        Enter,
        Leave,
        TakeSurplus,
    }

    /// <summary>Replaces w by ŵ in all weights that are claimed, or in none.</summary>
    /// <returns>The name of a weight that is not finite; null if all are.</returns>
    public string? Enter()
    {
        var threads = get_num_threads();
        if (!Prepare(threads))
            return _notFinite!.Subject;

        // From here on w has to be put back, whatever fails.
        foreach (var weight in _weights)
        {
            if (weight.IsClaimed)
                weight.BeginEnter();
        }

        Run(Phase.Enter, _pieces.Length, threads);
        foreach (var weight in _weights)
        {
            if (weight.IsClaimed)
                weight.Entered();
        }

        GC.KeepAlive(this);
        return null;
    }

    /// <summary>Puts w back in all weights that hold ŵ, and corrects their gradients, before anything can throw.</summary>
    public void Leave()
    {
        foreach (var weight in _weights)
        {
            if (weight.IsInside)
                weight.BeginLeave();
        }

        Run(Phase.Leave, _pieces.Length, get_num_threads());
        TakeSurplus();
        foreach (var weight in _weights)
        {
            if (weight.IsInside)
                weight.Left();
        }

        // Last, as it may fail.
        foreach (var weight in _weights)
            weight.NoteLeft();
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Run(int piece, int worker)
    {
        if (_phase == Phase.Prepare)
        {
            Prepare(_small[piece], worker);
            return;
        }

        var (number, part) = _pieces[piece];
        var weight = _weights[number];
        if (_phase == Phase.Measure && weight.IsClaimed)
            weight.Measure(part);
        else if (_phase == Phase.Enter && weight.IsClaimed)
            weight.Enter(part);
        else if (_phase == Phase.Leave && weight.IsInside)
            weight.Leave(part);
        else if (_phase == Phase.TakeSurplus && IsLeft(weight))
            weight.TakeSurplus(part);
    }

    /// <summary>Whether a weight has left but for a correction along it.</summary>
    private static bool IsLeft(MemoryScope weight) => weight is { IsInside: true, HasSurplus: true };

    private void TakeSurplus()
    {
        var isNeeded = false;
        foreach (var weight in _weights)
        {
            if (!IsLeft(weight))
                continue;
            weight.TotalSurplus();
            isNeeded = true;
        }

        if (isNeeded)
            Run(Phase.TakeSurplus, _pieces.Length, get_num_threads());
    }

    private bool Prepare(int threads)
    {
        _notFinite = null;
        for (var worker = 1; worker < ParallelRunner.WorkersFor(threads); worker++)
            _searches[worker] ??= new(LeastRoom, runner: null);

        if (_measures)
            Run(Phase.Measure, _pieces.Length, threads);
        Run(Phase.Prepare, _small.Length, threads);
        _searches[0].Threads = threads;
        foreach (var weight in _weights)
        {
            if (weight.Elements > SmallElements)
                Prepare(weight, worker: 0);
        }

        return _notFinite is null;
    }

    private void Prepare(MemoryScope weight, int worker)
    {
        if (weight.IsClaimed && !weight.Prepare(_searches[worker]))
            _notFinite = weight;
    }

    private void Run(Phase phase, int pieces, int threads)
    {
        _phase = phase;
        _searches[0].Threads = 1;
        _runner.Run(this, pieces, threads);
    }
}
