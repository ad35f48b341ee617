using Pdp.Sparse;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests;

public sealed class DeploymentTests : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _model = nn.Sequential(("fc", nn.Linear(100, 90)));
    private readonly TemporaryFolder _folder = new();
    private readonly Tensor _example = ones(1, 100);

    public DeploymentTests()
    {
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

        Assert.Equal((new FileInfo(_folder.File("dense")).Length, new FileInfo(_folder.File("sparse")).Length), (plain.Bytes, packed.Bytes));
        Assert.True(plain.Milliseconds > 0 && packed.Milliseconds > 0);
        Assert.Matches(@"^packed,\d+,\d+\.\d{3}$", packed.ToString());
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
