using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Checkpoints;

/// <summary>A small model in training, with the state of all that a checkpoint holds. It owns everything.</summary>
internal sealed class Scene : IDisposable
{
    private readonly Sequential _model;

    public Scene(int seed, int width = 4)
    {
        manual_seed(seed);
        _model = nn.Sequential(("fc", nn.Linear(width, 3)), ("norm", nn.BatchNorm1d(3)));
        Optimizer = new FusedAdamW(_model.named_parameters(), new AdamOptions { LearningRate = 0.01 });
        Average = new WeightAverage(_model, 0.9);
        State = new TrainingState { Model = _model, Optimizer = Optimizer, Average = Average };
    }

    public TrainingState State { get; }

    public FusedAdamW Optimizer { get; }

    public WeightAverage Average { get; }

    public Tensor Weight => _model.parameters().First();

    public void Train(int from, int steps)
    {
        for (var step = from; step < from + steps; step++)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)step);
            Optimizer.zero_grad();
            nn.functional.mse_loss(_model.call(randn([8, 4], generator: generator)), ones(8, 3)).backward();
            Optimizer.step();
            Average.Update();
        }
    }

    /// <summary>All bytes that training has changed or could change.</summary>
    public string Bytes()
    {
        using var scope = NewDisposeScope();
        return string.Join(" ", _model.state_dict().Concat(Optimizer.GetState()).Concat(Average.GetState()).Select(
            entry => Convert.ToHexString(entry.Value.bytes)));
    }

    /// <summary>Writes a number into a tensor of the model, the optimizer or the average, such as <c>model.fc.weight</c>.</summary>
    public void Poison(string name, float wrong)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (part, rest) = (name[..name.IndexOf('.', StringComparison.Ordinal)], name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]);
        if (part == "optimizer")
        {
            var state = Optimizer.GetState().ToDictionary();
            state[rest] = full_like(state[rest], wrong);
            Optimizer.SetState(state);
            return;
        }

        (part == "model" ? _model.state_dict()[rest] : Average.GetState()[rest])[0].fill_(wrong);
    }

    public void Dispose()
    {
        Average.Dispose();
        Optimizer.Dispose();
        _model.Dispose();
    }
}
