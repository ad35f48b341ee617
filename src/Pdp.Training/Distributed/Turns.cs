namespace Pdp.Training.Distributed;

/// <summary>
/// Lets a rank make its calls one at a time. Two threads at once would get one another's numbers, wait forever, or crash MPI.
/// </summary>
internal sealed class Turns
{
    private const int Free = 0;
    private const int Taken = 1;
    private const int Over = 2;

    private int _state;

    /// <summary>Begins a call, which lasts until the turn is disposed.</summary>
    /// <exception cref="InvalidOperationException">Another thread is in the middle of one, or the rank has ended its work.</exception>
    public Turn Take() => Interlocked.CompareExchange(ref _state, Taken, Free) switch
    {
        Free => new Turn(this),
        Taken => throw new InvalidOperationException(
            "Two threads of this rank call the others at once: a rank makes its calls one after another, best from one thread."),
        _ => throw new InvalidOperationException("This rank has ended its work, and can no longer call the others."),
    };

    /// <summary>Prevents further calls.</summary>
    public void End() => Volatile.Write(ref _state, Over);

    public readonly ref struct Turn(Turns turns)
    {
        public void Dispose() => Interlocked.CompareExchange(ref turns._state, Free, Taken);
    }
}
