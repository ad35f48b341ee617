using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Models;

/// <summary>What holds for every network for ImageNet.</summary>
public sealed class NetworkTests
{
    [Theory]
    [InlineData("ResNet18", 11_689_512)]
    [InlineData("ResNet50", 25_557_032)]
    [InlineData("MobileNetV1", 4_231_976)]
    [InlineData("MobileNetV2", 3_504_872)]
    public void Parameters_WhenCounted_AreAsManyAsPublished(string name, long expected)
    {
        using var model = Network.Make(name);

        Assert.Equal(expected, model.parameters().Sum(parameter => parameter.numel()));
    }

    // What profilers count for torchvision's networks, and for MobileNet the 569 million of its paper. A stride or a
    // padding out of place would change it, where the parameters would be as many as before.
    [Theory]
    [InlineData("ResNet18", 1_814_073_344)]
    [InlineData("ResNet50", 4_089_184_256)]
    [InlineData("MobileNetV1", 568_740_352)]
    [InlineData("MobileNetV2", 300_774_272)]
    public void Forward_WhenPictureIsOf224Pixels_MultipliesAsOftenAsPublished(string name, long expected)
    {
        using var model = Network.Make(name);
        using var picture = zeros(1, 3, 224, 224);

        Assert.Equal(expected, MultiplyCount.Of(model, picture));
    }

    [Theory]
    [InlineData("ResNet18")]
    [InlineData("ResNet50")]
    [InlineData("MobileNetV1")]
    [InlineData("MobileNetV2")]
    public void Forward_WhenTraining_GivesFiniteLogitsAndGradients(string name)
    {
        manual_seed(1);
        using var model = Network.Make(name, classes: 7);
        using var scope = NewDisposeScope();

        var logits = model.call(rand(2, 3, 64, 64));
        nn.functional.cross_entropy(logits, ones(2, dtype: ScalarType.Int64)).backward();

        Assert.Equal([2, 7], logits.shape);
        Assert.True(IsFinite(logits));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.grad is { } gradient && IsFinite(gradient)));
    }

    [Theory]
    [InlineData("ResNet18")]
    [InlineData("ResNet50")]
    [InlineData("MobileNetV1")]
    [InlineData("MobileNetV2")]
    public void Forward_WhenCalled_LeavesOnlyItsResult(string name)
    {
        using var model = Network.Make(name);
        using var scope = NewDisposeScope();
        using var pictures = zeros(2, 3, 32, 32);
        DisposeScopeManager.Statistics.Reset();

        using var logits = model.call(pictures);

        Assert.Equal([2, 1000], logits.shape);
        Assert.Equal(1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    // Names and shapes from torchvision's networks; MobileNetV1 has none there.
    [Theory]
    [InlineData(
        "ResNet18",
        "conv1.weight [64, 3, 7, 7]",
        "bn1.running_var [64]",
        "layer1.0.conv1.weight [64, 64, 3, 3]",
        "layer2.0.downsample.0.weight [128, 64, 1, 1]",
        "layer2.0.downsample.1.bias [128]",
        "layer4.1.bn2.running_mean [512]",
        "fc.weight [1000, 512]")]
    [InlineData(
        "ResNet50",
        "layer1.0.downsample.0.weight [256, 64, 1, 1]",
        "layer3.5.conv2.weight [256, 256, 3, 3]",
        "layer4.2.bn3.weight [2048]",
        "fc.bias [1000]")]
    [InlineData(
        "MobileNetV1",
        "features.0.0.weight [32, 3, 3, 3]",
        "features.1.0.weight [32, 1, 3, 3]",
        "features.26.1.running_var [1024]",
        "fc.weight [1000, 1024]")]
    [InlineData(
        "MobileNetV2",
        "features.0.0.weight [32, 3, 3, 3]",
        "features.1.conv.0.0.weight [32, 1, 3, 3]",
        "features.1.conv.1.weight [16, 32, 1, 1]",
        "features.2.conv.1.0.weight [96, 1, 3, 3]",
        "features.17.conv.3.running_mean [320]",
        "features.18.1.weight [1280]",
        "classifier.1.weight [1000, 1280]")]
    public void StateDict_WhenAskedByTorchvisionsNames_HasTheTensors(string name, params string[] expected)
    {
        using var model = Network.Make(name);

        var tensors = model.state_dict().Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.shape)}]");

        Assert.Empty(expected.Except(tensors));
    }

    // Torchvision's names without the batch counters: five tensors for each convolution with its batch-norm, two for the end.
    [Theory]
    [InlineData("ResNet18", (20 * 5) + 2)]
    [InlineData("ResNet50", (53 * 5) + 2)]
    [InlineData("MobileNetV1", (27 * 5) + 2)]
    [InlineData("MobileNetV2", (52 * 5) + 2)]
    public void StateDict_WhenCounted_HasNothingElse(string name, int expected)
    {
        using var model = Network.Make(name);

        Assert.Equal(expected, model.state_dict().Count);
    }

    [Theory]
    [InlineData("ResNet18")]
    [InlineData("ResNet50")]
    [InlineData("MobileNetV1")]
    [InlineData("MobileNetV2")]
    public void Convolutions_WhenNew_SpreadByTheirFanOut(string name)
    {
        manual_seed(1);
        using var model = Network.Make(name);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        foreach (var weight in model.modules().OfType<Conv2d>().Select(convolution => convolution.weight))
        {
            var expected = Math.Sqrt(2.0 / (weight.size(0) * weight.size(2) * weight.size(3)));
            var spread = weight.std(unbiased: true).ReadCpuSingle(0);

            // The standard error of a standard deviation of n numbers is its size over √(2n); five of them are a certainty.
            Assert.Equal(expected, spread, expected * 5 / Math.Sqrt(2 * weight.numel()));
        }
    }

    private static bool IsFinite(Tensor values) => values.isfinite().count_nonzero().ReadCpuInt64(0) == values.numel();
}
