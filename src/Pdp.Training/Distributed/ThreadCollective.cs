using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Training.Distributed;

/// <summary>One of the ranks that are threads.</summary>
internal sealed class ThreadCollective(int rank, Meeting meeting) : ICollective
{
    private static readonly Scalar One = 1.ToScalar();

    public int Rank => rank;

    public int Size => meeting.Tensors.Length;

    public void Sum(Tensor tensor)
    {
        HostMemory.RequireSummable(tensor);
        Exchange(tensor, tensors =>
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
        Exchange(tensor, tensors => tensors[root].clone());
    }

    public void Barrier() => meeting.Wait();

    // No rank changes its tensor before all have read it.
    private void Exchange(Tensor tensor, Func<Tensor[], Tensor> combine)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        meeting.Tensors[rank] = tensor.detach();
        meeting.Wait();
        var result = combine(meeting.Tensors!);
        meeting.Wait();
        tensor.detach().copy_(result);
    }
}
