using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Layers;

/// <summary>Parameters that share memory, and parameters that are replaced while a pruner has them.</summary>
public sealed class RegistrationTests
{
    private static readonly PdpOptions Options =
        new() { Sparsity = 0.5, Epochs = 4, Schedule = new ConstantSparsity(), Temperature = Temperature.Relative(1) };

    public RegistrationTests() => manual_seed(1);

    [Theory]
    [InlineData("transposed")]
    [InlineData("detached")]
    [InlineData("a row")]
    [InlineData("every second column")]
    [InlineData("rows and more")]
    public void AParameterOnTheMemoryOfAPrunedOne_IsNamed(string view)
    {
        using var encoder = Linear(6, 6);
        using var model = new Models.Tree(
            ("encoder", encoder), ("other", new Models.Custom(("view", new Parameter(ViewOf(encoder.weight!.detach(), view))))));

        var fault = Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options));

        Assert.Contains("'encoder.weight' and 'other.view' are two parameters on the same memory", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AViewBeforeAPrunedOne_IsNamedToo()
    {
        var memory = randn(8, 6);
        using var model = new Models.Tree(
            ("first", new Models.Custom(("view", new Parameter(memory[..3])))), ("layer", WithWeight(memory[2..])));

        Assert.Contains(
            "'first.view' and 'layer.weight'",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AnExpandedWeight_IsNamed()
    {
        using var model = WithWeight(randn(1, 6).expand(4, 6));

        Assert.Contains(
            "'weight' has elements that share memory",
            Assert.Throws<ArgumentException>(() => new PdpPruner(model, Options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ViewsThatAreExcluded_AreNoFault()
    {
        using var encoder = Linear(6, 6);
        using var model = new Models.Tree(
            ("encoder", encoder), ("decoder", WithWeight(encoder.weight!.detach().t())), ("last", Linear(6, 2)));
        using var pruner = new PdpPruner(model, Options with { Exclude = ["encoder"] });

        Assert.Equal(["last.weight"], pruner.Masks.Select(mask => mask.Name));
    }

    // Fused projections are often split like this.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ViewsThatLieSideBySide_ArePrunedAndRestored(int dimension)
    {
        var memory = randn(8, 8);
        var before = memory.bytes.ToArray();
        var (a, b) = (WithWeight(memory.narrow(dimension, 0, 4)), WithWeight(memory.narrow(dimension, 4, 4)));
        using var model = new Models.Tree(("a", a), ("b", b));
        using var pruner = new PdpPruner(model, Options);
        pruner.BeginEpoch(0);

        using (pruner.Mask())
        {
            Assert.NotEqual(before, memory.bytes.ToArray());
            (a.weight!.sum() + b.weight!.sum()).backward();
        }

        Assert.Equal(before, memory.bytes.ToArray());
        Assert.Equal(32, pruner.Commit().Removed);
        Assert.Equal(32, TestModels.Zeros(memory));
    }

    [Theory]
    [InlineData("BeginEpoch")]
    [InlineData("Plan")]
    [InlineData("Report")]
    [InlineData("GetState")]
    [InlineData("Commit")]
    public void AParameterThatIsReplaced_IsNamed(string call)
    {
        using var list = new ParameterList(new Parameter(randn(8, 4)), new Parameter(randn(8, 4)));
        using var model = new Models.Tree(("list", list));
        using var pruner = new PdpPruner(model, Options with { Include = ["*"] });
        pruner.BeginEpoch(0);
        list[1] = new Parameter(randn(8, 4));

        Action act = call switch
        {
            "BeginEpoch" => () => pruner.BeginEpoch(1),
            "Plan" => () => pruner.Plan(),
            "Report" => () => pruner.Report(),
            "GetState" => () => pruner.GetState(),
            _ => () => pruner.Commit(),
        };

        Assert.Contains(
            "'list.1' was moved or replaced after the pruner was made",
            Assert.Throws<InvalidOperationException>(act).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AParameterThatIsReplacedByOneOnTheSameMemory_IsNamed()
    {
        using var table = Embedding(8, 4);
        using var pruner = new PdpPruner(table, Options with { Include = ["*"] });
        table.weight = new Parameter(table.weight!.detach());

        Assert.Contains(
            "'weight' was moved or replaced",
            Assert.Throws<InvalidOperationException>(() => pruner.BeginEpoch(0)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ATiedParameterThatIsUntied_IsNamed()
    {
        using var table = Embedding(6, 6);
        using var head = Linear(6, 6, hasBias: false);
        table.weight = head.weight;
        using var model = new Models.Tree(("head", head), ("table", table));
        using var pruner = new PdpPruner(model, Options with { Include = ["*"] });
        pruner.BeginEpoch(0);
        table.weight = new Parameter(randn(6, 6));

        Assert.Contains(
            "'table.weight'", Assert.Throws<InvalidOperationException>(() => pruner.Report()).Message, StringComparison.Ordinal);
    }

    private static Linear WithWeight(Tensor weight)
    {
        var layer = Linear(weight.shape[1], weight.shape[0], hasBias: false);
        layer.weight = new Parameter(weight);
        return layer;
    }

    private static Tensor ViewOf(Tensor weight, string view) => view switch
    {
        "transposed" => weight.t(),
        "detached" => weight,
        "a row" => weight[2],
        "every second column" => weight[.., 1..].slice(1, 0, 5, 2),
        _ => weight[3..],
    };
}
