using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Saving;

/// <summary>
/// A small run with momentum, which moves zeros between a scope and the step behind it; saved and restored as users do it.
/// </summary>
internal sealed class ResumableRun : IDisposable
{
    private static readonly Scalar Rate = (-0.05).ToScalar();
    private static readonly Scalar Decay = 0.9.ToScalar();
    private static readonly Scalar Wild = 4.ToScalar();
    private static readonly Scalar One = 1.ToScalar();

    private readonly ScalarType _type;
    private readonly Tensor[] _momentum;

    public ResumableRun(string kind, ScalarType type, int seed = 0)
    {
        _type = type;
        Model = (Module<Tensor, Tensor>)TestModels.Cnn(seed).to(type);
        _momentum = [.. Model.parameters().Select(parameter => parameter.detach().zeros_like())];
        using var example = ones([2, 3, 6, 6], type);
        var options = OptionsOf(kind);
        Pruner = new PdpPruner(
            Model,
            kind.StartsWith("channel ", StringComparison.Ordinal) ? options with { Channels = ChannelMap.Find(Model, example) } : options);
    }

    public static TheoryData<string, ScalarType> Kinds
    {
        get
        {
            var kinds = new TheoryData<string, ScalarType>();
            foreach (var kind in (string[])["unstructured", "1:4", "4x1", "channel", "channel with a map"])
            {
                kinds.Add(kind, ScalarType.Float32);
                kinds.Add(kind, ScalarType.Float64);
            }

            return kinds;
        }
    }

    public Module<Tensor, Tensor> Model { get; }

    public PdpPruner Pruner { get; }

    public static PdpOptions OptionsOf(string kind)
    {
        var options = new PdpOptions { Sparsity = kind == "1:4" ? null : 0.5, Epochs = 6, Schedule = new CubicRamp(1, 4) };
        return kind switch
        {
            "unstructured" => options,
            "taylor" => options with { Importance = new Taylor { Window = 3 } },
            "4x1" => options with { Strategy = new Block(4, 1) },
            "channel" => options with { Strategy = new PerChannel(), Exclude = ["fc"] },
            "channel with a map" => options with { Strategy = new PerChannel() },
            "channel by taylor" => options with { Strategy = new PerChannel(), Importance = new Taylor() },
            _ => options with { Strategy = NofM.Parse(kind) },
        };
    }

    /// <summary>Trains four steps an epoch.</summary>
    public ResumableRun Train(int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)step);
            Pruner.BeginEpoch(step / 4.0);
            Model.zero_grad();
            using (Pruner.Mask())
                functional.mse_loss(Model.call(Random(4, 3, 6, 6)), Random(4, 4)).backward();
            Step();

            Tensor Random(params long[] shape) => randn(shape, generator: generator).to_type(_type);
        }

        return this;
    }

    /// <summary>
    /// Gives all weights, kept or removed, the momentum of a wild history, which carries removed ones past kept ones in one step.
    /// </summary>
    public ResumableRun Shake()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        foreach (var momentum in _momentum)
            momentum.copy_(randn(momentum.shape, generator: generator)).mul_(Wild);
        return this;
    }

    /// <summary>A new process: other weights, then those of this run, its momentum and its state.</summary>
    public ResumableRun Killed(string kind)
    {
        var state = Pruner.GetState().ToJson();
        var resumed = new ResumableRun(kind, _type, seed: 7);
        resumed.Load(this);
        resumed.Pruner.Restore(PrunerState.FromJson(state));
        return resumed;
    }

    public void Load(ResumableRun other)
    {
        using var scope = NewDisposeScope();
        Model.load_state_dict(other.Model.state_dict());
        foreach (var (mine, theirs) in _momentum.Zip(other._momentum))
            mine.copy_(theirs);
    }

    public void Dispose()
    {
        Pruner.Dispose();
        Model.Dispose();
        foreach (var tensor in _momentum)
            tensor.Dispose();
    }

    private void Step()
    {
        using var _ = no_grad();
        foreach (var (parameter, momentum) in Model.parameters().Zip(_momentum))
        {
            momentum.mul_(Decay).add_(parameter.grad!, One);
            parameter.add_(momentum, Rate);
        }
    }
}
