using Pdp.Samples.Tests;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Sparse.Tests.Files;

/// <summary>What plan and report say of a file, against the file.</summary>
public sealed class FileBytesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly nn.Module<Tensor, Tensor> _model = nn.Sequential(
        ("conv", nn.Conv2d(4, 24, 3)), ("norm", nn.BatchNorm2d(24)), ("flat", nn.Flatten()), ("fc", nn.Linear(96, 40)),
        ("head", nn.Linear(40, 3)));

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<IMaskStrategy, double> Patterns => new()
    {
        { new Unstructured(), 0.5 },
        { new Unstructured(), 0.9 },
        { new Unstructured(), 0.98 },
        { NofM.Keep(2, of: 4), 0.5 },
        { NofM.Keep(1, of: 4), 0.75 },
        { new PerChannel(), 0.5 },
    };

    [Theory]
    [MemberData(nameof(Patterns))]
    public void PlanAndReport_OfAnyPattern_SayWhatTheFileTakesForEachWeight(IMaskStrategy strategy, double sparsity)
    {
        using var scope = NewDisposeScope();
        using var pruner = new PdpPruner(
            _model,
            new PdpOptions { Sparsity = sparsity, Strategy = strategy, Schedule = new ConstantSparsity(), Epochs = 1, Exclude = ["head"] });
        pruner.BeginEpoch(0);
        using (pruner.Mask())
        {
        }

        var (report, plan) = (pruner.Commit(), pruner.Plan());
        SparseFile.Save(_model, _folder.File("model"));

        var stored = Safetensors.Load(_folder.File("model"));
        long BytesOf(string name) => stored.Where(part => part.Key == name || part.Key.StartsWith(name + ".", StringComparison.Ordinal))
            .Sum(part => part.Value.numel() * part.Value.element_size());
        Assert.Equal(["conv.weight", "fc.weight"], report.Layers.Select(layer => layer.Name));
        Assert.All(report.Layers, layer => Assert.Equal(BytesOf(layer.Name), layer.FileBytes));
        Assert.All(plan.Layers, layer => Assert.Equal(BytesOf(layer.Name), layer.FileBytes));
        var weights = _model.named_parameters().Where(pair => pair.parameter.dim() >= 2);
        var vectors = _model.parameters().Where(parameter => parameter.dim() < 2);
        Assert.Equal(weights.Sum(pair => BytesOf(pair.name)) + vectors.Sum(vector => vector.numel() * 4), report.File!.Sparse);
        Assert.Equal(_model.parameters().Sum(parameter => parameter.numel() * 4), report.File.Dense);
        Assert.Equal(report.File, plan.File);
    }

    [Fact]
    public void BytesOf_WhenFilesHaveNoSuchType_SaysSo()
    {
        using var numbers = zeros(10, ScalarType.ComplexFloat32);

        var fault = Assert.Throws<ArgumentException>(() => SparseFile.BytesOf(numbers));

        Assert.Contains("ComplexFloat32", fault.Message, StringComparison.Ordinal);
    }
}
