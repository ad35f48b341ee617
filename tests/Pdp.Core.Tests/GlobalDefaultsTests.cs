using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests;

/// <summary>The types and devices are those of the model, whatever torch makes new tensors of.</summary>
public sealed class GlobalDefaultsTests
{
    [Theory]
    [InlineData("unstructured", ScalarType.Float32)]
    [InlineData("2:4", ScalarType.Float32)]
    [InlineData("channel", ScalarType.Float32)]
    [InlineData("channels of a map", ScalarType.Float32)]
    [InlineData("channels of a map", ScalarType.Float64)]
    [InlineData("unstructured", ScalarType.BFloat16)]
    public void ARun_UnderOtherDefaults_IsTheSame(string strategy, ScalarType type)
    {
        var expected = Run(strategy, type, () => { });

        Assert.Equal(expected, Run(strategy, type, () => set_default_dtype(ScalarType.Float64)));
        Assert.Equal(expected, Run(strategy, type, () => set_default_dtype(ScalarType.BFloat16)));
        Assert.Equal(expected, Run(strategy, type, () => set_default_device(META)));
    }

    /// <summary>Trains, commits and shrinks what can be shrunk; returns the weights' bytes.</summary>
    private static byte[][] Run(string strategy, ScalarType type, Action change)
    {
        var (dtype, device) = (get_default_dtype(), get_default_device());
        using var model = TestModels.Mlp();
        model.to(type);
        using var scope = NewDisposeScope();
        var input = TestModels.Batch(1).Inputs.to_type(type);
        try
        {
            change();
            var map = strategy == "channels of a map" ? ChannelMap.Find(model, input) : null;
            using var pruner = new PdpPruner(model, Options(strategy, map));
            for (var epoch = 0; epoch < 3; epoch++)
                Step(model, pruner, input, epoch);
            pruner.Commit();
            if (map is not null)
                pruner.Shrink(input);
            return TestModels.Bytes(model);
        }
        finally
        {
            set_default_dtype(dtype);
            set_default_device(device);
        }
    }

    private static PdpOptions Options(string strategy, ChannelMap? map) => new()
    {
        Epochs = 3,
        Sparsity = strategy == "2:4" ? null : 0.5,
        Strategy = strategy switch { "unstructured" => new Unstructured(), "2:4" => NofM.Keep(2, of: 4), _ => new PerChannel() },
        Schedule = new ConstantSparsity(),
        Channels = map,
    };

    private static void Step(Module<Tensor, Tensor> model, PdpPruner pruner, Tensor input, int epoch)
    {
        using var scope = NewDisposeScope();
        pruner.BeginEpoch(epoch);
        model.zero_grad();
        using (pruner.Mask())
        {
            var output = model.call(input);
            output.mul(output).sum().backward();
        }

        TestModels.Step(model, 1e-3);
    }
}
