using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>One of the ranks that are threads.</summary>
internal sealed class ThreadCollective(int rank, Meeting meeting) : ICollective
{
    private static readonly Scalar One = 1.ToScalar();

    private readonly Turns _turns = new();

    public int Rank => rank;

    public int Size => meeting.Calls.Length;

    public void Sum(Tensor tensor)
    {
        HostMemory.RequireSummable(tensor);
        Exchange(Calls.Sum(tensor), tensor, tensors =>
        {
            var sum = tensors[0].clone();
            foreach (var other in tensors[1..])
            {
                sum.add_(other, One);
            }

            return sum;
        });
    }

    public void Broadcast(Tensor tensor, int root = 0)
    {
        HostMemory.RequireRank(tensor, root, Size);
        Exchange(Calls.Broadcast(tensor, root), tensor, tensors => tensors[root].clone());
    }

    public void Barrier()
    {
        using var turn = _turns.Take();
        Meet(Calls.Barrier, () => { });
    }

    /// <summary>Removes the rank permanently.</summary>
    /// <param name="fault">What it has thrown; null if it has done its work.</param>
    public void Leave(Exception? fault)
    {
        _turns.End();
        meeting.Leave(rank, fault);
    }

    private void Exchange(string call, Tensor tensor, Func<Tensor[], Tensor> combine)
    {
        using var turn = _turns.Take();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        meeting.Tensors[rank] = tensor.detach();
        Tensor? result = null;
        Meet(call, () => result = combine(meeting.Tensors!));
        tensor.detach().copy_(result!);
    }

    // No rank changes what it left there before all have read it.
    private void Meet(string call, Action read)
    {
        meeting.Calls[rank] = call;
        meeting.Wait();
        try
        {
            Calls.RequireSame(meeting.Calls);
            read();
        }
        finally
        {
            meeting.Wait();
        }
    }
}
