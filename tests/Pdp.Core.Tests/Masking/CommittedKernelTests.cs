using Pdp.Masking;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Masking;

/// <summary>The kernels of committed masks, in float32, against tensor operations, which float64 weights take: the same bits.</summary>
public sealed class CommittedKernelTests
{
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
            Assert.Equal(StepOf(layer, strategy, ScalarType.Float64), StepOf(layer, strategy, ScalarType.Float32));
        }
        finally
        {
            set_num_threads(1);
        }
    }

    [Fact]
    public void Group_AfterACommit_HasAKernelForAnyStrategyAndAMethodsMask()
    {
        using var scope = NewDisposeScope();
        using var weight = new Parameter(randn(8, 8));
        var mask = new PdpMask("weight", new([8, 8]), new PlainStrategy("of one's own"), Temperature.Relative(0.5), target: 32);
        using var group = new MaskGroup(mask, new GroupSlices(mask, weight));
        mask.Move(1, 0);
        Assert.Null(group.Kernel);

        group.Commit(MaskForm.Raw);
        Assert.IsType<CommittedKernel>(group.Kernel);
        group.Restore(null);
        Assert.Null(group.Kernel);
    }

    [Fact]
    public void Scope_AfterTheMaskIsSoftAgain_MasksSoftly()
    {
        using var scope = NewDisposeScope();
        using var layer = Linear(32, 16, hasBias: false);
        using var pruner = new PdpPruner(layer, Options(new Unstructured()));
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

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 20; step++)
            Step();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step()
        {
            using (pruner.Mask())
                layer.weight!.grad = gradient;
        }
    }

    /// <summary>Weights inside of and after a scope, and gradients after it, with earlier ones, of two steps after a commit.</summary>
    private static double[] StepOf(string kind, string strategyName, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Layer(kind);
        model.to(type);
        Fill(model, 1);
        using var pruner = new PdpPruner(model, Options(StrategyOf(strategyName)) with
        {
            Channels = strategyName == "tied channels" ? ChannelMap.Find(model, ones(2, 3, 12, 12, dtype: type)) : null,
        });
        pruner.BeginEpoch(0);
        pruner.Commit();
        var seen = new List<double>();
        Parameter[] parameters = [.. model.parameters()];
        for (var step = 1; step <= 2; step++)
        {
            Fill(model, 2 * step);
            using (pruner.Mask())
            {
                seen.AddRange(parameters.SelectMany(Values));
                foreach (var (parameter, i) in parameters.Select((parameter, i) => (parameter, i)))
                    parameter.grad = Numbers(parameter, (100 * step) + i);
            }

            seen.AddRange(parameters.SelectMany(Values));
            seen.AddRange(parameters.SelectMany(parameter => Values(parameter.grad!)));
        }

        return [.. seen];
    }

    private static IEnumerable<double> Values(Tensor tensor) => tensor.to_type(ScalarType.Float32).Values();

    private static void Fill(Module model, int seed)
    {
        using var _ = no_grad();
        foreach (var (parameter, i) in model.parameters().Select((parameter, i) => (parameter, i)))
            parameter.copy_(Numbers(parameter, seed + (10 * i)));
    }

    /// <summary>Normal numbers that float32 represents exactly.</summary>
    private static Tensor Numbers(Tensor like, int seed) =>
        Tensors.Of(Tensors.Normal(seed, like.numel()), like.shape, ScalarType.Float32).to_type(like.dtype);

    private static PdpPruner Committed(Linear layer)
    {
        var pruner = new PdpPruner(layer, Options(new Unstructured()));
        pruner.BeginEpoch(0);
        pruner.Commit();
        return pruner;
    }

    private static PdpOptions Options(IMaskStrategy strategy) => new()
    {
        Epochs = 4,
        Sparsity = strategy.FixedSparsity is null ? 0.5 : null,
        Schedule = new ConstantSparsity(),
        Temperature = Temperature.Relative(0.5),
        Strategy = strategy,
    };

    private static IMaskStrategy StrategyOf(string name) => name switch
    {
        "unstructured" => new Unstructured(),
        "2:4" => NofM.Keep(2, of: 4),
        "block" => new Block(2, 1),
        _ => new PerChannel(),
    };

    private static Module<Tensor, Tensor> Layer(string kind) => kind switch
    {
        "odd" => Linear(7, 6, hasBias: false),
        "several pieces" => Linear(260, 258, hasBias: false),
        "conv" => Conv2d(5, 6, 3, bias: false),
        "transposed" => ConvTranspose2d(6, 8, 3, bias: false),
        _ => Sequential(
            ("conv1", Conv2d(3, 16, 3)), ("norm", BatchNorm2d(16)), ("act", ReLU()), ("conv2", Conv2d(16, 8, 3)),
            ("pool", AdaptiveAvgPool2d(1)), ("flat", Flatten()), ("head", Linear(8, 4))),
    };
}
