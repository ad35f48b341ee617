using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Transformers;

/// <summary>Trains a transformer, under a mask if it is being pruned: AdamW, linear warm-up and decay, clipping.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly TransformerSettings _settings;
    private readonly nn.Module _model;
    private readonly PdpPruner? _pruner;
    private readonly int _steps;
    private readonly Func<int, int, Tensor> _loss;
    private readonly FusedAdamW? _methodOptimizer;
    private readonly LearningRateSchedule _schedule;

    /// <param name="settings">The settings.</param>
    /// <param name="model">The model.</param>
    /// <param name="pruner">Its pruner; null in a dense run.</param>
    /// <param name="steps">The steps of an epoch.</param>
    /// <param name="loss">The loss of an epoch's step; called within a dispose scope.</param>
    public Trainer(TransformerSettings settings, nn.Module model, PdpPruner? pruner, int steps, Func<int, int, Tensor> loss)
    {
        (_settings, _model, _pruner, _steps, _loss) = (settings, model, pruner, steps, loss);
        var all = Math.Max(1, settings.Epochs * steps);
        Costs = new StepCosts(model.parameters().First().device);
        _schedule = new LinearSchedule(all) { WarmupSteps = settings.Warmup * all };
        var options = new AdamOptions { LearningRate = settings.Lr };
        Optimizer = new FusedAdamW(ParameterGroup.DecayWeightsOnly(model.named_parameters(), settings.WeightDecay), options);
        _methodOptimizer = pruner is { Parameters.Count: > 0 }
            ? new FusedAdamW([.. pruner.Parameters], options with { WeightDecay = PruningMethods.WeightDecay(settings) })
            : null;
    }

    public FusedAdamW Optimizer { get; }

    public StepCosts Costs { get; }

    /// <summary>One pass over the texts; returns the mean loss.</summary>
    /// <exception cref="InvalidDataException">The loss is not finite.</exception>
    public double Epoch(int epoch)
    {
        using var progress = new ConsoleProgress($"epoch {epoch + 1}", _steps);
        var total = 0.0;
        _model.train();
        for (var step = 0; step < _steps; step++)
        {
            using var scope = NewDisposeScope();
            var loss = Step(epoch, step);
            total += float.IsFinite(loss)
                ? loss
                : throw new InvalidDataException($"The loss is {loss} in epoch {epoch + 1}, step {step + 1}; try a lower --lr.");
            progress.Report(step + 1, $"loss {loss:0.000}");
        }

        return total / _steps;
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        _methodOptimizer?.Dispose();
    }

    private float Step(int epoch, int step)
    {
        var number = ((long)epoch * _steps) + step;
        // What dropout draws follows from the step alone, so that a run continues exactly from a checkpoint.
        manual_seed((_settings.Seed * 1_000_003L) + number);
        Costs.BeginStep();
        _schedule.Apply(Optimizer, number);
        Optimizer.zero_grad();
        var loss = _pruner is null ? Backward(epoch, step) : MaskedBackward(_pruner, epoch, step);
        GradientClipping.ByNorm(_model.named_parameters(), _settings.Clip);
        Optimizer.step();
        if (_pruner is not null && _methodOptimizer is not null)
        {
            StepMethod(_pruner, _methodOptimizer, TimeOf(epoch, step));
        }

        Costs.EndStep();
        return loss;
    }

    private float MaskedBackward(PdpPruner pruner, int epoch, int step)
    {
        Costs.BeginPruning();
        var time = TimeOf(epoch, step);
        if (PruningMethods.ForgetsMomentum(pruner, time))
        {
            Optimizer.ResetState();
        }

        pruner.BeginEpoch(epoch, step, _steps);
        if (!pruner.IsCommitted && time >= PruningMethods.CommitEpoch(_settings))
        {
            pruner.Commit();
        }

        _methodOptimizer?.zero_grad();
        var mask = pruner.Mask();
        Costs.EndPruning();
        try
        {
            return Backward(epoch, step);
        }
        finally
        {
            Costs.BeginPruning();
            mask.Dispose();
            Costs.EndPruning();
        }
    }

    private double TimeOf(int epoch, int step) => epoch + (step / (double)_steps);

    private float Backward(int epoch, int step)
    {
        var loss = _loss(epoch, step);
        loss.backward();
        return loss.cpu().ReadCpuSingle(0);
    }

    // What a method learns besides the weights is part of its cost.
    private void StepMethod(PdpPruner pruner, FusedAdamW optimizer, double time)
    {
        Costs.BeginPruning();
        optimizer.LearningRate = Optimizer.LearningRate * PruningMethods.LearningRateFactor(_settings, pruner, time);
        optimizer.step();
        Costs.EndPruning();
    }
}
