using CsCheck;
using Pdp.Layers;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Strategies;

/// <summary>A score and a mask that all weights of a block share; blocks by index arithmetic are the oracle.</summary>
public sealed class BlockTests
{
    /// <summary>A layer of each kind with 16 outputs, by name.</summary>
    private static readonly Dictionary<string, Func<Module>> Layers = new()
    {
        ["linear"] = () => Linear(12, 16, hasBias: false),
        ["conv2d"] = () => Conv2d(4, 16, 3, bias: false),
        ["grouped conv2d"] = () => Conv2d(8, 16, 3, groups: 2, bias: false),
        ["transposed conv2d"] = () => ConvTranspose2d(4, 16, 3, bias: false),
        ["grouped transposed conv1d"] = () => ConvTranspose1d(4, 32, 3, groups: 2, bias: false),
    };

    private static readonly (int Rows, int Columns)[] Sizes = [(1, 4), (4, 1), (16, 1), (2, 6)];

    public static TheoryData<string, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int>();
            foreach (var layer in Layers.Keys)
            {
                foreach (var (rows, columns) in Sizes)
                    cases.Add(layer, rows, columns);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Soft_OfABlock_IsThatOfItsRootMeanSquare(string layer, int rows, int columns)
    {
        using var module = Layers[layer]();
        using var scope = NewDisposeScope();
        var layout = LayerScan.LayoutOf(module, module.parameters().Single());
        var values = Tensors.Normal(5, layout.Elements);
        int[][] blocks = [.. BlocksOf(layout, rows, columns)];
        double[] norms = [.. blocks.Select(block => Math.Sqrt(block.Average(i => values[i] * values[i])))];
        var threshold = Oracle.Threshold(norms, blocks.Length / 2);

        var soft = Making.Mask(new Block(rows, columns), layout, blocks.Length / 2, Temperature.Absolute(0.5))
            .Soft(Tensors.Of(values, [.. layout.Shape])).Values();

        Assert.Equal(Enumerable.Range(0, values.Length), blocks.SelectMany(block => block).Order());
        Assert.All(blocks.Zip(norms), pair => Assert.All(
            pair.First, i => Assert.Equal(Oracle.Mask(pair.Second, threshold, 0.5), soft[i], 1e-12)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kept_OfBlocks_AreExactlyTheLargest(string layer, int rows, int columns)
    {
        using var module = Layers[layer]();
        using var scope = NewDisposeScope();
        var layout = LayerScan.LayoutOf(module, module.parameters().Single());
        var values = Tensors.Normal(6, layout.Elements);
        int[][] blocks = [.. BlocksOf(layout, rows, columns)];
        var removed = (2 * blocks.Length / 3) + 1;
        var expected = Oracle.Kept([.. blocks.Select(block => block.Sum(i => values[i] * values[i]))], removed);

        var mask = Making.Mask(new Block(rows, columns) { Score = ScoreNorm.L2 }, layout, removed, Temperature.Relative(1));
        var kept = mask.Kept(Tensors.Of(values, [.. layout.Shape])).Values();

        Assert.Equal(removed * rows * columns, mask.RemovedWeights);
        Assert.All(blocks.Zip(expected), pair => Assert.All(pair.First, i => Assert.Equal(pair.Second ? 1 : 0, kept[i])));
    }

    [Fact]
    public void Apply_WithBlocksOfOneWeight_IsUnstructuredBitForBit() => Law.Holds(
        from seed in Gen.Int[0, 1_000_000]
        from removed in Gen.Int[1, 35]
        from ratio in Gen.OneOf(0.1, 1.0, 2.0)
        from norm in Gen.OneOf(ScoreNorm.Rms, ScoreNorm.L2)
        select (seed, removed, ratio, norm),
        law =>
        {
            using var scope = NewDisposeScope();
            var weight = Tensors.Of(Tensors.Normal(law.seed, 36), [4, 9]).requires_grad_();
            var twin = weight.detach().clone().requires_grad_();
            var upstream = Tensors.Of(Tensors.Normal(law.seed + 1, 36), [4, 9]);
            var blocks = Making.Mask(new Block(1, 1) { Score = law.norm }, [4, 9], law.removed, Temperature.Relative(law.ratio));
            var single = Making.Mask(new Unstructured(), [4, 9], law.removed, Temperature.Relative(law.ratio));

            blocks.Apply(weight).backward([upstream]);
            single.Apply(twin).backward([upstream]);

            Assert.Equal(single.Soft(twin).Values(), blocks.Soft(weight).Values());
            Assert.Equal(single.Kept(twin).Values(), blocks.Kept(weight).Values());
            Assert.Equal(twin.grad!.Values(), weight.grad!.Values());
        });

    [Fact]
    public void Sum_AndSpread_AreAdjoint() => Law.Holds(Gen.Int[0, 1_000_000], seed =>
    {
        using var scope = NewDisposeScope();
        var strategy = new Block(2, 3);
        var layout = new WeightLayout([6, 4, 2], inputDimension: 0);
        var values = Tensors.Of(Tensors.Normal(seed, 48), [6, 4, 2]);
        var grouped = Tensors.Of(Tensors.Normal(seed + 1, 8), [1, 8]);

        var there = strategy.Sum(values, layout).mul(grouped).sum();
        var back = strategy.Spread(grouped, layout).mul(values).sum();

        Assert.Equal(there.ReadCpuDouble(0), back.ReadCpuDouble(0), 1e-12);
    });

    [Theory]
    [InlineData("1x4", "global")]
    [InlineData("4x1", "global")]
    [InlineData("16x1", "uniform")]
    [InlineData("4x1", "erk")]
    [InlineData("4x1", "lamp")]
    public void Commit_OfBlocks_RemovesTheTargetToTheNearestBlock(string size, string allocation)
    {
        using var model = TestModels.Mlp();
        var block = Block.Parse(size);
        using var pruner = new PdpPruner(model, new PdpOptions
        {
            Epochs = 4,
            Sparsity = 0.7,
            Strategy = block,
            Schedule = new ConstantSparsity(),
            Allocation = allocation switch
            {
                "erk" => new ErdosRenyiKernel(),
                "lamp" => new LayerAdaptiveMagnitude(),
                "uniform" => new UniformSparsity(),
                _ => new GlobalMagnitude()
            },
            MaximumLayerSparsity = 0.8,
            Exclude = size == "16x1" ? ["last"] : [],
        });
        pruner.BeginEpoch(0);

        var report = pruner.Commit();

        Assert.InRange(
            report.Removed - Math.Round(0.7 * report.PrunableWeights), -block.Rows * block.Columns / 2.0, block.Rows * block.Columns / 2.0);
        Assert.All(report.Layers, layer => Assert.Equal((size, layer.Removed, 0L), (layer.Strategy, layer.Zeros, layer.Violations)));
        Assert.All(report.Layers, layer => Assert.InRange(layer.Sparsity, 0, 0.8));
    }

    [Fact]
    public void Plan_OfAWeightThatBlocksDontTile_KeepsItDenseAndSaysWhy()
    {
        using var model = TestModels.Cnn();
        using var pruner = new PdpPruner(model, new PdpOptions { Epochs = 4, Sparsity = 0.5, Strategy = new Block(1, 4) });

        var layers = pruner.Plan().Layers.ToDictionary(layer => layer.Name);

        Assert.Equal((null, "blocks of 1 x 4 don't tile its matrix of 8 x 27"), (
            layers["conv1.weight"].Strategy, layers["conv1.weight"].DenseReason));
        Assert.Equal(("1x4", null), (layers["conv2.weight"].Strategy, layers["conv2.weight"].DenseReason));
    }

    [Fact]
    public void Step_OfBlocks_LeavesNoTensorBehind()
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(
            model, new PdpOptions { Epochs = 4, Sparsity = 0.5, Strategy = new Block(4, 1), Schedule = new ConstantSparsity() });

        Leaks.None(() => TestModels.Train(model, pruner, epoch: 0, seed: 2));
    }

    [Theory]
    [InlineData("1x4", ScoreNorm.Rms)]
    [InlineData("16x1-l2", ScoreNorm.L2)]
    public void Name_OfABlock_SaysItsSizeAndScore(string expected, ScoreNorm norm)
    {
        var block = Block.Parse(expected.Replace("-l2", "", StringComparison.Ordinal)) with { Score = norm };

        Assert.Equal((expected, expected), (block.Name, block.Describe()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("4")]
    [InlineData("1x4x2")]
    [InlineData("1 x 4")]
    [InlineData("-1x4")]
    [InlineData("1x99999999999")]
    public void Parse_OfAnythingElse_SaysWhatABlockLooksLike(string text) =>
        Assert.Contains(
            $"'{text}' is not a block size: write rows x columns, such as 1x4",
            Assert.Throws<FormatException>(() => Block.Parse(text)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 4, "rows")]
    [InlineData(-1, 4, "rows")]
    [InlineData(1, 0, "columns")]
    public void Block_OfASizeBelowOne_Throws(int rows, int columns, string name) =>
        Assert.StartsWith(
            $"Must be in [1, ∞). (Parameter '{name}')",
            Assert.Throws<ArgumentOutOfRangeException>(() => new Block(rows, columns)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Score_ThatIsNone_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>("Score", () => new Block(1, 4) { Score = (ScoreNorm)2 });

    /// <summary>The flat positions of the weights of each block, block rows first.</summary>
    private static IEnumerable<int[]> BlocksOf(WeightLayout layout, int rows, int columns)
    {
        int[] shape = [.. layout.Shape.Select(size => (int)size)];
        var (output, other) = (layout.OutputDimension, 1 - layout.OutputDimension);
        var positions = (int)Tensors.Count(layout.Shape.Skip(2));
        var inputs = shape[other] * positions;
        int Flat(int row, int column) =>
            (((output == 0 ? (row * shape[1]) + (column / positions) : (column / positions * shape[1]) + row) * positions)
                + (column % positions));

        for (var top = 0; top < shape[output]; top += rows)
        {
            for (var left = 0; left < inputs; left += columns)
                yield return [
                    .. from row in Enumerable.Range(top, rows) from column in Enumerable.Range(left, columns) select Flat(row, column),
                ];
        }
    }
}
