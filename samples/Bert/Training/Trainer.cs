using Pdp.Samples.Bert.Network;
using Pdp.Samples.Bert.Text;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Training;

/// <summary>Trains a classifier, under a mask if it is being pruned: AdamW, linear warm-up and decay, clipping.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly Settings _settings;
    private readonly BertClassifier _model;
    private readonly PdpPruner? _pruner;
    private readonly TextBatches _texts;
    private readonly Teacher? _teacher;
    private readonly FusedAdamW? _methodOptimizer;
    private readonly LearningRateSchedule _schedule;

    public Trainer(Settings settings, BertClassifier model, PdpPruner? pruner, TextBatches texts, Teacher? teacher)
    {
        (_settings, _model, _pruner, _texts, _teacher) = (settings, model, pruner, texts, teacher);
        var steps = Math.Max(1, settings.Epochs * texts.Count);
        _schedule = new LinearSchedule(steps) { WarmupSteps = settings.Warmup * steps };
        var options = new AdamOptions { LearningRate = settings.Lr };
        Optimizer = new FusedAdamW(ParameterGroup.DecayWeightsOnly(model.named_parameters(), settings.WeightDecay), options);
        _methodOptimizer = pruner is { Parameters.Count: > 0 }
            ? new FusedAdamW([.. pruner.Parameters], options with { WeightDecay = Methods.WeightDecay(settings) })
            : null;
    }

    public FusedAdamW Optimizer { get; }

    public StepCosts Costs { get; } = new();

    /// <summary>One pass over the texts; returns the mean loss.</summary>
    /// <exception cref="InvalidDataException">The loss is not finite.</exception>
    public double Epoch(int epoch)
    {
        using var progress = new ConsoleProgress($"epoch {epoch + 1}", _texts.Count);
        var total = 0.0;
        _model.train();
        for (var step = 0; step < _texts.Count; step++)
        {
            using var scope = NewDisposeScope();
            var loss = Step(epoch, step);
            total += float.IsFinite(loss)
                ? loss
                : throw new InvalidDataException($"The loss is {loss} in epoch {epoch + 1}, step {step + 1}; try a lower --lr.");
            progress.Report(step + 1, $"loss {loss:0.000}");
        }

        return total / _texts.Count;
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        _methodOptimizer?.Dispose();
        _teacher?.Dispose();
    }

    private float Step(int epoch, int step)
    {
        var (batch, labels) = _texts.Shuffled(epoch, step);
        var number = ((long)epoch * _texts.Count) + step;
        // What dropout draws follows from the step alone, so that a run goes on exactly from a checkpoint.
        manual_seed((_settings.Seed * 1_000_003L) + number);
        Costs.BeginStep();
        _schedule.Apply(Optimizer, number);
        Optimizer.zero_grad();
        var loss = _pruner is null ? Backward(batch, labels) : MaskedBackward(_pruner, epoch, step, batch, labels);
        GradientClipping.ByNorm(_model.named_parameters(), _settings.Clip);
        Optimizer.step();
        if (_methodOptimizer is not null)
        {
            StepMethod(_methodOptimizer, number);
        }

        Costs.EndStep();
        return loss;
    }

    private float MaskedBackward(PdpPruner pruner, int epoch, int step, TokenBatch batch, Tensor labels)
    {
        Costs.BeginPruning();
        if (pruner is { IsCommitted: false } && epoch + (step / (double)_texts.Count) >= Methods.CommitEpoch(_settings))
        {
            pruner.Commit();
        }

        pruner.BeginEpoch(epoch, step, _texts.Count);
        _methodOptimizer?.zero_grad();
        var mask = pruner.Mask();
        Costs.EndPruning();
        try
        {
            return Backward(batch, labels);
        }
        finally
        {
            Costs.BeginPruning();
            mask.Dispose();
            Costs.EndPruning();
        }
    }

    private float Backward(TokenBatch batch, Tensor labels)
    {
        var answers = _model.call(batch);
        var loss = nn.functional.cross_entropy(answers, labels);
        if (_teacher is not null)
        {
            loss = _teacher.Loss(batch, answers, loss);
        }

        loss.backward();
        return loss.ReadCpuSingle(0);
    }

    // What a method learns besides the weights is part of its cost.
    private void StepMethod(FusedAdamW optimizer, long number)
    {
        Costs.BeginPruning();
        _schedule.Apply(optimizer, number);
        optimizer.step();
        Costs.EndPruning();
    }
}
