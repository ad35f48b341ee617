using System.Diagnostics;
using Pdp.Samples.ImageNet.Data;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.ImageNet.Training;

/// <summary>Trains a learner for an epoch, step by step. What a step does depends only on the learner and the position.</summary>
/// <remarks>Every tensor is in a scope and every Scalar is kept: see <see cref="FusedSgd"/> for why.</remarks>
internal sealed class Trainer : IDisposable
{
    private readonly Settings _settings;
    private readonly Learner _learner;
    private readonly IPictureBatches _pictures;
    private readonly Team _team;
    private readonly CosineSchedule _schedule;
    private readonly Scalar _one = 1.0;
    private readonly Scalar _share;
    private readonly Tensor _stepLoss;
    private readonly Tensor _lossSum;

    /// <exception cref="ArgumentException">There are fewer pictures than a step or <c>--reestimate</c> takes.</exception>
    public Trainer(Settings settings, Learner learner, IPictureBatches pictures, Team team)
    {
        Steps = pictures.Count / settings.Accumulate;
        if (Steps == 0)
        {
            throw new ArgumentException(
                $"There are {pictures.Pictures} pictures to train on, fewer than a batch of {settings.Batch}: lower --batch.");
        }

        if (settings.Reestimate > pictures.Count)
        {
            throw new ArgumentException($"An epoch has {pictures.Count} batches: lower --reestimate {settings.Reestimate}.");
        }

        _settings = settings;
        _learner = learner;
        _pictures = pictures;
        _team = team;
        _schedule = new CosineSchedule((double)settings.Epochs * Steps) { WarmupSteps = settings.WarmupEpochs * Steps };
        _share = 1.0 / settings.Accumulate;
        _stepLoss = zeros([], ScalarType.Float64, learner.Device).DetachFromDisposeScope();
        _lossSum = zeros([], ScalarType.Float64, learner.Device).DetachFromDisposeScope();
    }

    /// <summary>What the last step committed before it trained; null where it didn't.</summary>
    public PruningReport? Committed { get; private set; }

    /// <summary>The steps of an epoch.</summary>
    public int Steps { get; }

    /// <summary>The learning rate of the last step taken.</summary>
    public double LearningRate(Progress run) => _settings.Lr * _schedule.Factor(((long)run.Epoch * Steps) + run.Step - 1);

    /// <summary>Trains the rest of an epoch; yields the number of steps taken in it after each step.</summary>
    public IEnumerable<int> Epoch(Progress start)
    {
        using var noGrad = no_grad();
        using var sum = tensor(start.LossSum);
        _lossSum.copy_(sum);
        _learner.Model.train();
        return StepsOf(start);
    }

    /// <summary>How far the epoch is; waits for the device.</summary>
    /// <exception cref="InvalidDataException">The loss is not finite: the run is lost since the last checkpoint.</exception>
    public Progress Read(Progress start, int step, Stopwatch clock)
    {
        using var onHost = _lossSum.cpu();
        var sum = onHost.ReadCpuDouble(0);
        return double.IsFinite(sum)
            ? start with { Step = step, LossSum = sum, Seconds = start.Seconds + clock.Elapsed.TotalSeconds }
            : throw new InvalidDataException(
                $"The loss is not finite in epoch {start.Epoch + 1}, at step {step} or before; try a lower --lr.");
    }

    /// <summary>Estimates the statistics of batch norms anew, from batches of training pictures; on each rank from its shares.</summary>
    public void Reestimate()
    {
        if (_settings.Reestimate is > 0 and var batches)
        {
            BatchNorms.Reestimate(_learner.Model, _pictures.Epoch(_settings.Epochs).Take(batches), Forward);
            _team.AverageStatistics();
        }
    }

    public void Dispose()
    {
        _lossSum.Dispose();
        _stepLoss.Dispose();
        _share.Dispose();
        _one.Dispose();
    }

    private IEnumerable<int> StepsOf(Progress start)
    {
        if (start.Step == Steps)
        {
            yield break;
        }

        using var batches = _pictures.Epoch(start.Epoch, start.Step * _settings.Accumulate).GetEnumerator();
        for (var step = start.Step; step < Steps; step++)
        {
            Step(start.Epoch, step, batches);
            yield return step + 1;
        }
    }

    private void Step(int epoch, int step, IEnumerator<PictureBatch> batches)
    {
        using var scope = NewDisposeScope();
        Seed(epoch, step);
        _schedule.Apply(_learner.Optimizer, ((long)epoch * Steps) + step);
        _learner.Optimizer.zero_grad();

        // Pruning: the clock, which moves within the epoch, and the scope in which the weights are m·w. After it they are
        // dense again, with gradients that went through the mask. A dense run does without.
        BeginPruning(epoch + (step / (double)Steps));
        using (_learner.Pruner is null ? default : _learner.Pruner.Mask())
        {
            for (var part = 0; part < _settings.Accumulate; part++)
            {
                Backward(Next(batches));
            }
        }

        // Each rank has the gradients of its share; their mean is that of the whole batch.
        _team.AverageGradients();
        _learner.Optimizer.step();
        _learner.Average?.Update();
        AddLoss();
    }

    private void BeginPruning(double time)
    {
        Committed = null;
        _learner.Pruner?.BeginEpoch(time);
        if (_learner.Pruner is { IsCommitted: false } pruner && time >= Pruning.CommitEpoch(_settings))
        {
            Committed = pruner.Commit();
            pruner.BeginEpoch(time);
            ForgetRemoved(pruner);
        }
    }

    // What is gone has no momentum that would move it between two scopes, and no part in an average that begins anew.
    private void ForgetRemoved(PdpPruner pruner)
    {
        using var scope = NewDisposeScope();
        var parameters = _learner.Model.named_parameters().Select(entry => entry.name).ToHashSet(StringComparer.Ordinal);
        _learner.Optimizer.MaskState(pruner.GetMasks().Where(mask => parameters.Contains(mask.Key)).ToDictionary());
        if (_learner.Average is { } average)
        {
            var weights = _learner.Model.state_dict();
            average.SetState(average.GetState().Keys.ToDictionary(name => name, name => weights[name], StringComparer.Ordinal));
        }
    }

    private void AddLoss()
    {
        using var noGrad = no_grad();
        _team.Average(_stepLoss);
        _lossSum.add_(_stepLoss, _one);
        _stepLoss.zero_();
    }

    /// <summary>
    /// Dropout draws from libtorch's generator, which is seeded again for each step and rank, so that nothing of it needs to be saved.
    /// </summary>
    private void Seed(int epoch, int step)
    {
        var index = (step * _team.Collective.Size) + _team.Collective.Rank;
        using var generator = manual_seed(new SplitMix(_settings.Seed, epoch, index).Below(int.MaxValue));
    }

    private void Backward(PictureBatch batch)
    {
        using var scope = NewDisposeScope();
        using var owned = batch;
        var (pictures, labels) = PictureTensors.Of(batch, _learner.Device);
        var answers = _learner.Model.call(pictures);
        var loss = nn.functional.cross_entropy(answers, labels, label_smoothing: _settings.LabelSmoothing).mul(_share);
        loss.backward();
        using var noGrad = no_grad();
        _stepLoss.add_(loss, _one);
    }

    private void Forward(PictureBatch batch)
    {
        using var owned = batch;
        _learner.Model.call(PictureTensors.Of(batch, _learner.Device).Pictures);
    }

    private static PictureBatch Next(IEnumerator<PictureBatch> batches) => batches.MoveNext()
        ? batches.Current
        : throw new InvalidDataException("The pictures of the epoch ended before their count.");
}
