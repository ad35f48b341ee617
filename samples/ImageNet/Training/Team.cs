using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>
/// The ranks that train one network together, of which a run that is not distributed is the only one. All ranks make the same calls.
/// </summary>
internal sealed class Team : IDisposable
{
    private readonly Learner _learner;
    private readonly DataParallel _parallel;
    private readonly Scalar _size;

    /// <summary>Gives all ranks the network and the averages of rank 0; borrows the learner.</summary>
    public Team(ICollective collective, Learner learner)
    {
        (Collective, _learner) = (collective, learner);
        _parallel = new DataParallel(learner.Model, collective);
        _size = collective.Size.ToScalar();
        foreach (var average in learner.Average?.GetState().Values ?? [])
        {
            collective.Broadcast(average);
        }
    }

    public ICollective Collective { get; }

    /// <summary>The time in communication, for each step; null where there is none.</summary>
    public double? SecondsPerStep => _parallel.Steps == 0 ? null : _parallel.CommunicationTime.TotalSeconds / _parallel.Steps;

    /// <summary>Between the backward pass and the optimizer's step.</summary>
    public void AverageGradients() => _parallel.AverageGradients();

    /// <summary>
    /// Before evaluation and checkpoints: the statistics of batch norms, which are each rank's own in between, of the network and of its
    /// running average.
    /// </summary>
    public void AverageStatistics()
    {
        _parallel.AverageBuffers();
        // Averages that have replaced the weights are the network's own.
        if (_learner.Average is { IsSwapped: false } average)
        {
            using var noGrad = no_grad();
            var averages = average.GetState();
            foreach (var (name, _) in _learner.Model.named_buffers().Where(entry => averages.ContainsKey(entry.name)))
            {
                Average(averages[name]);
            }
        }
    }

    /// <summary>Replaces a number by its mean over the ranks.</summary>
    public void Average(Tensor number)
    {
        if (Collective.Size > 1)
        {
            Collective.Sum(number);
            number.div_(_size);
        }
    }

    /// <summary>Whether any rank is to stop.</summary>
    public bool Stops(CancellationToken stop) => Collective.Any(stop.IsCancellationRequested);

    /// <summary>Checks that all ranks have the same weights, thresholds and masks.</summary>
    /// <exception cref="InvalidDataException">They don't; the message names the first that differs.</exception>
    public void RequireAgreement()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Agreement.Require(Collective, _learner.Model.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)));
        if (_learner.Pruner is { } pruner)
        {
            // Thresholds and masks show in the weights under them.
            using var mask = pruner.Mask();
            Agreement.Require(Collective, _learner.Model.named_parameters()
                .Select(entry => ($"{entry.name} under its mask", (Tensor)entry.parameter)));
        }
    }

    public void Dispose()
    {
        _parallel.Dispose();
        _size.Dispose();
    }
}
