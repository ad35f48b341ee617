using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A model, an optimizer and a pruner that masks at once.</summary>
internal sealed class TrainingLoop : IDisposable
{
    /// <summary>Half of the weights from the first step on, softly.</summary>
    public static readonly PdpOptions Options = new()
    {
        Epochs = 4,
        Sparsity = 0.5,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
    };

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ScalarType _type;

    public TrainingLoop(string strategy, double learningRate = 0.01, bool useAdam = false, ScalarType type = ScalarType.Float32)
    {
        _type = type;
        Model = TestModels.Mlp().to(type);
        Optimizer = useAdam ? optim.AdamW(Model.parameters(), 0.01) : optim.SGD(Model.parameters(), learningRate);
        var pattern = strategy switch
        {
            "channel" =>
            (IMaskStrategy)new PerChannel(),
            "2:4" => NofM.Keep(2, of: 4),
            _ => new Unstructured()
        };
        Pruner = new PdpPruner(Model, Options with { Strategy = pattern, Sparsity = pattern.FixedSparsity is null ? 0.5 : null });
        Pruner.BeginEpoch(0);
    }

    public Module<Tensor, Tensor> Model { get; }

    public optim.Optimizer Optimizer { get; }

    public PdpPruner Pruner { get; }

    public TorchSharp.Modules.Parameter Weight => Model.named_parameters().First().parameter;

    public Tensor Forward(int seed) => Model.call(TestModels.Batch(seed).Inputs.to(_type));

    public void Backward(int seed, double factor = 1) => Forward(seed).mul(factor).sum().backward();

    public void Evaluate()
    {
        using var mask = Pruner.Mask();
        using var _ = no_grad();
        Forward(3);
    }

    public void Step(double epoch)
    {
        Pruner.BeginEpoch(epoch);
        Optimizer.zero_grad();
        using (Pruner.Mask())
            Backward(1);
        Optimizer.step();
    }

    public void Dispose()
    {
        Pruner.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
        _scope.Dispose();
    }
}
