using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>Trains a network, under a mask if it is being pruned: the loop that a user of the library writes.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly Settings _settings;
    private readonly ResNet20 _model;
    private readonly PdpPruner? _pruner;
    private readonly Batches _training;
    private readonly FusedSgd? _methodOptimizer;
    private readonly Teacher? _teacher;
    private readonly HashSet<string> _pruned;
    private readonly ICollective _ranks;
    private readonly DataParallel _parallel;
    private readonly Scalar _zero = 0.0.ToScalar();

    public Trainer(Settings settings, ResNet20 model, PdpPruner? pruner, Batches training, ICollective ranks)
    {
        var device = model.parameters().First().device;
        Costs = new StepCosts(device);
        _ranks = ranks;
        _parallel = new DataParallel(model, ranks);
        (_settings, _model, _pruner, _training) = (settings, model, pruner, training);
        Optimizer = new FusedSgd(model.named_parameters(), Options(settings, settings.WeightDecay, settings.Nesterov));
        _methodOptimizer = pruner is { Parameters.Count: > 0 }
            ? new FusedSgd([.. pruner.Parameters], Options(settings, Methods.WeightDecay(settings), Methods.IsNesterov(settings)))
            : null;
        _pruned = [.. pruner?.Masks.Select(mask => mask.Name) ?? []];
        _teacher = settings.Teacher is null ? null : new Teacher(settings.Teacher, settings.Width, device);
    }

    public FusedSgd Optimizer { get; }

    public StepCosts Costs { get; }

    /// <summary>The time in which a rank averages gradients, for each step; null where it is alone.</summary>
    public double? CommunicationSeconds => _parallel.Steps == 0 ? null : _parallel.CommunicationTime.TotalSeconds / _parallel.Steps;

    /// <summary>One pass over the training pictures; returns the mean loss.</summary>
    public double Epoch(int epoch)
    {
        using var progress = new ConsoleProgress($"epoch {epoch + 1}", _training.Count);
        var schedule = new CosineSchedule((double)_settings.Epochs * _training.Count);
        var total = 0.0;
        _model.train();
        for (var step = 0; step < _training.Count; step++)
        {
            using var scope = NewDisposeScope();
            var (pictures, labels) = _training.Augmented(epoch, step);
            var time = epoch + (step / (double)_training.Count);
            CommitIfDue(time);
            Costs.BeginStep();
            schedule.Apply(Optimizer, ((long)epoch * _training.Count) + step);
            var value = Step(time, pictures, labels, _training.Weight(step));
            Costs.EndStep();

            if (!double.IsFinite(value))
            {
                throw new InvalidDataException($"The loss is {value} in epoch {epoch + 1}, step {step + 1}; try a lower --lr.");
            }

            total += value;
            progress.Report(step + 1, $"loss {value:0.000}");
            if (_settings.AgreementSteps > 0 && (step + 1) % _settings.AgreementSteps == 0)
            {
                RequireAgreement();
            }
        }

        // Until here each rank has batch-norm statistics of its own.
        _parallel.AverageBuffers();
        return total / _training.Count;
    }

    /// <summary>Estimates the statistics of batch norms anew, from batches of training pictures; on each rank from its shares.</summary>
    public void Reestimate()
    {
        if (_settings.Reestimate is > 0 and var batches)
        {
            BatchNorms.Reestimate(_model, Enumerable.Range(0, batches), index => _model.call(
                _training.Augmented(_settings.Epochs + (index / _training.Count), index % _training.Count).Pictures));
            _parallel.AverageBuffers();
        }
    }

    public void Dispose()
    {
        _parallel.Dispose();
        Optimizer.Dispose();
        _methodOptimizer?.Dispose();
        _teacher?.Dispose();
        _zero.Dispose();
    }

    private void CommitIfDue(double time)
    {
        if (_pruner is { IsCommitted: false } && time >= Pruning.CommitEpoch(_settings))
        {
            _pruner.BeginEpoch(time);
            Console.Write(_pruner.Commit());
        }
    }

    private double Step(double time, Tensor pictures, Tensor labels, double weight)
    {
        Optimizer.zero_grad();
        var value = _pruner is null ? Backward(pictures, labels, weight) : MaskedBackward(_pruner, time, pictures, labels, weight);
        _parallel.AverageGradients();
        Optimizer.step();
        if (_pruner is not null && _methodOptimizer is not null)
        {
            StepMethod(_pruner, _methodOptimizer, time);
        }

        return Mean(value);
    }

    // The weights are m·w in the scope, and dense again after it, with gradients that went through the mask.
    private float MaskedBackward(PdpPruner pruner, double time, Tensor pictures, Tensor labels, double weight)
    {
        Costs.BeginPruning();
        if (Methods.ForgetsMomentum(pruner, time))
        {
            Optimizer.ResetState();
        }

        pruner.BeginEpoch(time);
        if (Methods.ForgetsMomentumOfZeros(_settings))
        {
            ForgetMomentumOfZeros();
        }

        _methodOptimizer?.zero_grad();
        var mask = pruner.Mask();
        Costs.EndPruning();
        try
        {
            return Backward(pictures, labels, weight);
        }
        finally
        {
            Costs.BeginPruning();
            mask.Dispose();
            Costs.EndPruning();
        }
    }

    private void ForgetMomentumOfZeros()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Optimizer.MaskState(_model.named_parameters().Where(entry => _pruned.Contains(entry.name))
            .ToDictionary(entry => entry.name, entry => entry.parameter.ne(_zero), StringComparer.Ordinal));
    }

    private float Backward(Tensor pictures, Tensor labels, double weight)
    {
        var answers = _model.call(pictures);
        using var factor = weight.ToScalar();
        var mean = _teacher is null ? nn.functional.cross_entropy(answers, labels) : TaughtLoss(_teacher, pictures, answers, labels);
        var loss = mean.mul(factor);
        loss.backward();
        return loss.cpu().ReadCpuSingle(0);
    }

    // The loss of the whole batch from those of the ranks' shares.
    private double Mean(double value)
    {
        using var sum = tensor(value);
        _ranks.Sum(sum);
        return sum.ReadCpuDouble(0) / _ranks.Size;
    }

    // Thresholds and masks show in the weights under them.
    private void RequireAgreement()
    {
        using var noGrad = no_grad();
        Agreement.Require(_ranks, _model.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)));
        using var mask = _pruner is null ? default : _pruner.Mask();
        Agreement.Require(_ranks, _model.named_parameters().Select(entry => ($"{entry.name} under its mask", (Tensor)entry.parameter)));
    }

    // A teacher is part of a method's cost.
    private Tensor TaughtLoss(Teacher teacher, Tensor pictures, Tensor answers, Tensor labels)
    {
        Costs.BeginPruning();
        var loss = teacher.Loss(pictures, answers, labels);
        Costs.EndPruning();
        return loss;
    }

    private static SgdOptions Options(Settings settings, double weightDecay, bool isNesterov) =>
        new() { LearningRate = settings.Lr, Momentum = settings.Momentum, WeightDecay = weightDecay, IsNesterov = isNesterov };

    // What a method learns besides the weights is part of its cost.
    private void StepMethod(PdpPruner pruner, FusedSgd optimizer, double time)
    {
        Costs.BeginPruning();
        optimizer.LearningRate = Optimizer.LearningRate * Methods.LearningRateFactor(_settings, pruner, time);
        optimizer.step();
        Costs.EndPruning();
    }
}
