using Pdp.Samples.Models;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Models;

/// <summary>Files with the names, shapes and types of torchvision's state_dict, written out here without the sample's networks.</summary>
public sealed class TorchvisionFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void LoadInto_OfResNet18_TakesAllOfIt()
    {
        var tensors = ResNet18();
        Safetensors.Save(_folder.File("resnet18.safetensors"), tensors);
        using var model = ResNet.ResNet18(1000);

        var result = Safetensors.LoadInto(model, _folder.File("resnet18.safetensors"));

        Assert.Equal(122, tensors.Count);
        Assert.Empty(result.Missing);
        Assert.Empty(result.Converted);
        Assert.All(result.Unexpected, name => Assert.EndsWith("num_batches_tracked", name, StringComparison.Ordinal));
        Assert.All(model.state_dict(), entry => Assert.Equal(tensors[entry.Key].bytes.ToArray(), entry.Value.bytes.ToArray()));
    }

    // Older files of torchvision have no counters.
    [Fact]
    public void LoadInto_WithoutCounters_TakesAllOfIt()
    {
        var tensors = ResNet18().Where(entry => !entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToDictionary();
        Safetensors.Save(_folder.File("resnet18.safetensors"), tensors);
        using var model = ResNet.ResNet18(1000);

        Safetensors.LoadInto(model, _folder.File("resnet18.safetensors"));

        Assert.All(tensors, entry => Assert.Equal(entry.Value.bytes.ToArray(), model.state_dict()[entry.Key].bytes.ToArray()));
    }

    private static Dictionary<string, Tensor> ResNet18()
    {
        var tensors = new Dictionary<string, Tensor>();
        Convolution("conv1", "bn1", 64, 3, 7);
        for (var stage = 1; stage <= 4; stage++)
        {
            var (inputs, outputs) = (stage == 1 ? 64 : 32 << (stage - 1), 32 << stage);
            for (var block = 0; block < 2; block++)
            {
                var name = $"layer{stage}.{block}";
                Convolution($"{name}.conv1", $"{name}.bn1", outputs, block == 0 ? inputs : outputs, 3);
                Convolution($"{name}.conv2", $"{name}.bn2", outputs, outputs, 3);
                if (stage > 1 && block == 0)
                    Convolution($"{name}.downsample.0", $"{name}.downsample.1", outputs, inputs, 1);
            }
        }

        tensors.Add("fc.weight", randn(1000, 512));
        tensors.Add("fc.bias", randn(1000));
        return tensors;

        void Convolution(string name, string norm, long outputs, long inputs, long side)
        {
            tensors.Add($"{name}.weight", randn(outputs, inputs, side, side));
            foreach (var part in new[] { "weight", "bias", "running_mean", "running_var" })
                tensors.Add($"{norm}.{part}", rand(outputs));
            tensors.Add($"{norm}.num_batches_tracked", tensor(12345L));
        }
    }
}
