using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>The place where the threads of <see cref="ThreadRanks"/> wait for one another and leave their tensors.</summary>
internal sealed class Meeting(int size)
{
    // The lock guards what follows; its pulse says that some of it changed.
    private readonly object _gate = new();
    private int _present;
    private int _round;
    private int? _left;

    /// <summary>What the ranks are about to do, each written by its rank between two meetings.</summary>
    public string[] Calls { get; } = new string[size];

    /// <summary>The tensors of the ranks, written in the same way.</summary>
    public Tensor?[] Tensors { get; } = new Tensor?[size];

    /// <summary>The exception of the first rank that failed.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Waits until all ranks are here.</summary>
    /// <exception cref="InvalidOperationException">A rank has left, and will never come.</exception>
    public void Wait()
    {
        lock (_gate)
        {
            var round = _round;
            if (++_present == size)
            {
                _present = 0;
                _round++;
                Monitor.PulseAll(_gate);
            }

            while (_round == round)
            {
                if (_left is { } rank)
                {
                    throw new InvalidOperationException($"Rank {rank} has ended, while others wait for it.", Fault);
                }

                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Removes a rank permanently.</summary>
    public void Leave(int rank, Exception? fault)
    {
        lock (_gate)
        {
            Fault ??= fault;
            _left ??= rank;
            Monitor.PulseAll(_gate);
        }
    }
}
