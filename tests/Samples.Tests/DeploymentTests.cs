using Pdp.Samples.Cifar10;
using Pdp.Samples.Models;
using Pdp.Sparse;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

public sealed class DeploymentTests : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor _example = ones(1, 100);

    public DeploymentTests()
    {
        manual_seed(1);
        _model = nn.Sequential(("fc", nn.Linear(100, 90)));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = _model.get_parameter("fc.weight")!;
        weight.mul_(rand_like(weight).lt(full_like(weight, 0.1)));
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
        _example.Dispose();
    }

    [Fact]
    public void PlainAndPacked_OfANetwork_HaveTheLengthsOfItsFilesAndTakeTime()
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(_folder.File("dense"), _model.state_dict());
        SparseFile.Save(_model, _folder.File("sparse"));

        var (plain, packed) = (Deployment.Plain("dense", _model, _example), Deployment.Packed(_model, _example));

        Assert.Equal(
            (new FileInfo(_folder.File("dense")).Length, new FileInfo(_folder.File("sparse")).Length), (plain.Bytes, packed.Bytes));
        Assert.True(plain.Milliseconds > 0 && packed.Milliseconds > 0);
        Assert.Matches(@"^packed,\d+,\d+\.\d{3}$", packed.ToString());
    }

    /// <summary>Each convolution and linear layer pruned alike, with weights as they are initialized.</summary>
    [Theory]
    [InlineData("ResNet-20", 0.9, 7.2)]
    [InlineData("ResNet-20", 0.95, 12)]
    [InlineData("ResNet18", 0.9, 8.5)]
    [InlineData("ResNet18", 0.95, 16)]
    public void SparseFile_OfANetwork_IsSoMuchSmallerThanSafetensors(string name, double sparsity, double atLeast)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using nn.Module model = name == "ResNet18" ? ResNet.ResNet18() : new ResNet20();
        using (no_grad())
        {
            foreach (var weight in model.parameters().Where(parameter => parameter.dim() > 1))
            {
                var (kept, _) = weight.abs().reshape(-1).topk((int)Math.Round((1 - sparsity) * weight.numel()));
                weight.mul_(weight.abs().ge(kept.min()));
            }
        }

        Safetensors.Save(_folder.File("dense"), model.state_dict());
        SparseFile.Save(model, _folder.File("sparse"), new SparseFileOptions { KeepsNegativeZeros = false });

        Assert.InRange(
            new FileInfo(_folder.File("dense")).Length / (double)new FileInfo(_folder.File("sparse")).Length,
            atLeast,
            double.PositiveInfinity);
    }

    [Fact]
    public void Packed_OfANetwork_LeavesItAsItWas()
    {
        using var scope = NewDisposeScope();
        var before = _model.state_dict().Values.Select(tensor => tensor.bytes.ToArray()).ToArray();

        Deployment.Packed(_model, _example);

        Assert.Equal(before, _model.state_dict().Values.Select(tensor => tensor.bytes.ToArray()));
    }
}
