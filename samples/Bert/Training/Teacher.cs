using Pdp.Samples.Bert.Network;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Bert.Training;

/// <summary>A trained classifier of the same sizes whose answers are part of the loss.</summary>
internal sealed class Teacher : IDisposable
{
    private readonly BertClassifier _model;
    private readonly DistillationOptions _options;

    /// <exception cref="InvalidDataException">The file doesn't hold a whole classifier of these sizes.</exception>
    public Teacher(Settings settings, BertConfig config, IReadOnlyList<string> classes, Device device)
    {
        _options = new() { Temperature = settings.DistillTemperature, Weight = settings.Distill };
        _model = new(config, classes.Count);
        if (!PretrainedWeights.LoadInto(_model, settings.Teacher!, classes))
        {
            throw new InvalidDataException($"'{settings.Teacher}' has no classifier: --teacher needs the weights of a fine-tuned model.");
        }

        _model.to(device).eval();
    }

    /// <summary>The task's loss and the distance from the teacher's answers, weighted.</summary>
    public Tensor Loss(TokenBatch batch, Tensor answers, Tensor task)
    {
        using var scope = NewDisposeScope();
        return Distillation.Loss(task, answers, Answers(batch), _options).MoveToOuterDisposeScope();
    }

    public void Dispose() => _model.Dispose();

    private Tensor Answers(TokenBatch batch)
    {
        using var noGrad = no_grad();
        return _model.call(batch);
    }
}
