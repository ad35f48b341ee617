using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The kernels of committed masks, in float32, against tensor operations, which float64 weights take: the same bits.</summary>
public sealed class CommittedScopeTests
{
    public CommittedScopeTests() => manual_seed(1);

    public static TheoryData<string, string, int> Cases()
    {
        var cases = new TheoryData<string, string, int>();
        foreach (var threads in (int[])[1, 2])
        {
            foreach (var strategy in (string[])["unstructured", "block", "channels"])
            {
                foreach (var layer in (string[])["odd", "several pieces", "conv", "transposed"])
                    cases.Add(layer, strategy, threads);
            }

            cases.Add("several pieces", "2:4", threads);
            cases.Add("network", "tied channels", threads);
            cases.Add("network", "unstructured", threads);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scope_AfterACommit_GivesTheBitsOfTensorOperations(string layer, string strategy, int threads)
    {
        set_num_threads(threads);
        try
        {
            Assert.Equal(
                CommittedSteps.Of(layer, strategy, ScalarType.Float64), CommittedSteps.Of(layer, strategy, ScalarType.Float32));
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [Fact]
    public void Scope_WhereACommittedWeightGotSmaller_WritesNothingBeyondIt()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(ones(8, 8));
        var mask = new PdpMask("weight", new([8, 8]), new Unstructured(), Temperature.Relative(0.5), target: 32);
        using var group = new MaskGroup(mask, new GroupSlices(mask, weight));
        mask.Move(1, 0);
        group.Commit(MaskForm.Raw);
        var memory = ones(8, 8);
        using (no_grad())
            weight.set_(memory[0]);

        Assert.ThrowsAny<Exception>(() =>
        {
            group.Enter(MaskForm.Soft);
            group.Leave(out var _);
        });

        Assert.Equal(1, memory[1..].min().ReadCpuSingle(0));
    }

    [Fact]
    public void Group_AfterACommit_HasAKernelForAnyStrategyAndAMethodsMask()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(randn(8, 8));
        var mask = new PdpMask("weight", new([8, 8]), new PlainStrategy("of one's own"), Temperature.Relative(0.5), target: 32);
        using var group = new MaskGroup(mask, new GroupSlices(mask, weight));
        mask.Move(1, 0);
        Assert.Null(group.Memory);

        group.Commit(MaskForm.Raw);
        Assert.IsType<CommittedScope>(group.Memory);
        group.Restore(null);
        Assert.Null(group.Memory);
    }

    [Fact]
    public void Scope_AfterTheMaskIsSoftAgain_MasksSoftly()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(32, 16, hasBias: false);
        using var pruner = new PdpPruner(layer, CommittedSteps.Options(new Unstructured()));
        pruner.BeginEpoch(0);
        var before = pruner.GetState();
        var (dense, soft) = (layer.weight!.clone(), Masked());
        pruner.Commit();
        Assert.NotEqual(soft, Masked());
        using (no_grad())
            layer.weight.copy_(dense);

        pruner.Restore(before);

        Assert.Equal(soft, Masked());

        double[] Masked()
        {
            using (pruner.Mask())
                return layer.weight.Values();
        }
    }

    [Fact]
    public void Backward_BehindACommittedScope_StillWorks()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(32, 16, hasBias: false);
        using var pruner = Committed(layer);
        var inputs = randn(4, 32).requires_grad_();
        Tensor loss;

        using (pruner.Mask())
            loss = layer.call(inputs).sum();
        loss.backward();

        Assert.NotNull(inputs.grad);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Scope_WhoseRemovedWeightsComeBack_IsAnErrorAndMakesThemZero(bool inOtherMemory)
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(300, 300, hasBias: false);
        using var pruner = Committed(layer);
        var zeros = layer.weight!.eq(zeros_like(layer.weight)).Values();

        using (pruner.Mask())
        using (no_grad())
        {
            if (inOtherMemory)
                layer.weight.set_(ones(300, 300));
            else
                layer.weight.fill_(1.ToScalar());
            layer.weight.grad = ones(300, 300);
        }

        Assert.Equal(zeros, layer.weight.eq(zeros_like(layer.weight)).Values());
        Assert.Equal(zeros, layer.weight.grad!.eq(zeros_like(layer.weight)).Values());
        Assert.Contains("inside", Assert.Throws<InvalidOperationException>(() => pruner.Mask()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scope_WithAGradientOfOtherStrides_RemovesTheSame()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(30, 20, hasBias: false);
        using var pruner = Committed(layer);
        var upstream = randn(30, 20);

        layer.weight!.grad = ones(20, 30);
        using (pruner.Mask())
            layer.weight.grad = upstream.clone().t();

        var kept = layer.weight.ne(zeros_like(layer.weight)).to_type(ScalarType.Float32);
        Assert.Equal(upstream.t().mul(kept).add(ones(20, 30)).Values(), layer.weight.grad!.Values());
    }

    [Fact]
    public void Scope_OfAGradientThatIsNotFinite_ShowsIt()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(32, 16, hasBias: false);
        using var pruner = Committed(layer);

        using (pruner.Mask())
            layer.weight!.grad = full([16, 32], double.PositiveInfinity, dtype: ScalarType.Float32);

        Assert.Equal(256, layer.weight!.grad!.Values().Count(double.IsNaN));
    }

    [Fact]
    public void Scopes_AfterACommit_AllocateNothing()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(300, 300, hasBias: false);
        using var pruner = Committed(layer);
        var gradient = randn(300, 300);
        for (var step = 0; step < 20; step++)
            Step();

        Assert.Equal(0, Allocations.Of(Step));

        void Step()
        {
            using (pruner.Mask())
                layer.weight!.grad = gradient;
        }
    }

    private static PdpPruner Committed(Linear layer)
    {
        var pruner = new PdpPruner(layer, CommittedSteps.Options(new Unstructured()));
        pruner.BeginEpoch(0);
        pruner.Commit();
        return pruner;
    }
}
