using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Distributed;

/// <summary>Small models for ranks that are threads.</summary>
internal static class RankModels
{
    public static Sequential Model(int seed)
    {
        using var _ = no_grad();
        using var generator = new Generator((ulong)seed);
        var model = Sequential(Linear(4, 3), BatchNorm1d(3));
        using var weights = randn([3, 4], generator: generator);
        Weight(model).copy_(weights);
        return model;
    }

    public static Parameter Weight(Module model) => model.named_parameters().First().parameter;

    public static void SetGradients(Module model, float value)
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in model.parameters())
        {
            parameter.grad = full_like(parameter, value).detach();
        }
    }

    /// <summary>The models that ranks have after some work; what the work returns is disposed.</summary>
    public static Sequential[] OnEach(int size, Func<Sequential, ICollective, IDisposable?> work)
    {
        var models = new Sequential[size];
        ThreadRanks.Run(size, collective => work(models[collective.Rank] = Model(collective.Rank), collective)?.Dispose());
        return models;
    }

    public static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().to_type(ScalarType.Float32).contiguous().data<float>().ToArray();
    }
}
