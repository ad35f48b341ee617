using Pdp.Samples.Tests;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pdp.Training.Tests.Internal;

/// <summary>libtorch doesn't write into expanded views, and says so only when their turn comes.</summary>
public sealed class ExpandedViewTests
{
    [Fact]
    public void Optimizer_OfAnExpandedParameter_IsRefused()
    {
        using var scope = NewDisposeScope();
        (string, Parameter)[] parameters = [("plain", new Parameter(ones(2))), ("view", new Parameter(ones(1).expand(3)))];

        var error = Assert.Throws<ArgumentException>(() => new FusedSgd(parameters, new SgdOptions { LearningRate = 0.1 }));

        Assert.Contains("'view' is an expanded view", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Average_OfAModelWithAnExpandedBuffer_IsRefused()
    {
        using var model = new WithView();

        Assert.Contains(
            "'view' is an expanded view",
            Assert.Throws<ArgumentException>(() => new WeightAverage(model, 0.9)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void LoadInto_AModelWithAnExpandedBuffer_NamesItAndChangesNothing()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var model = new WithView();
        Safetensors.Save(folder.File("w"), new Dictionary<string, Tensor> { ["first"] = zeros(2), ["view"] = zeros(3) });

        var error = Assert.Throws<InvalidOperationException>(() => Safetensors.LoadInto(model, folder.File("w")));

        Assert.Contains("'view' of the model is an expanded view", error.Message, StringComparison.Ordinal);
        Assert.Equal(2f, model.First.sum().item<float>());
    }

    private sealed class WithView : nn.Module
    {
        public WithView()
            : base(nameof(WithView))
        {
            First = new Parameter(ones(2));
            register_parameter("first", First);
            register_buffer("view", ones(1).expand(3).DetachFromDisposeScope());
        }

        public Parameter First { get; }
    }
}
