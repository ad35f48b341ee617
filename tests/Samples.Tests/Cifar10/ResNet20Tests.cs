using Pdp.Samples.Cifar10;
using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Cifar10;

public sealed class ResNet20Tests : IDisposable
{
    private readonly ResNet20 _model = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Parameters_WhenCounted_Are269722()
    {
        var count = _model.parameters().Sum(parameter => parameter.numel());

        Assert.Equal(269_722, count);
    }

    [Fact]
    public void Forward_WhenTrained_LeavesOnlyItsResult()
    {
        var pictures = zeros(2, 3, 32, 32);
        DisposeScopeManager.Statistics.Reset();

        using var logits = _model.call(pictures);

        Assert.Equal([2, 10], logits.shape);
        Assert.Equal(1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Forward_WhenTraining_MovesTheBatchStatistics()
    {
        var before = _model.state_dict()["layer3.2.bn2.running_var"].clone();

        _model.call(ones(2, 3, 32, 32));

        Assert.False(before.Equals(_model.state_dict()["layer3.2.bn2.running_var"]));
        Assert.DoesNotContain(_model.state_dict().Keys, name => name.EndsWith("num_batches_tracked", StringComparison.Ordinal));
    }

    [SharedFact]
    public void Forward_WhenGivenTrainedWeights_NamesMostPictures()
    {
        Safetensors.LoadInto(_model, SharedData.File("resnet20-cifar10.safetensors"));
        var test = Cifar10Data.Load(SharedData.File("cifar10-images.tar.gz")).Test.Limit(100);
        _model.eval();
        using var noGrad = no_grad();

        var (pictures, labels) = new Batches(test, size: 1000, seed: 0).Plain(0);
        var hits = _model.call(pictures).argmax(1).eq(labels).sum().ReadCpuInt64(0);

        // 804 were counted; another processor may round a close call the other way. Of all 10,000 it names 81.03 %.
        Assert.InRange(hits, 801, 807);
    }
}
