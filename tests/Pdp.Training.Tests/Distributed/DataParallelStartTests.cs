using TorchSharp.Modules;
using static Pdp.Training.Tests.Distributed.RankModels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Training.Tests.Distributed;

/// <summary>What ranks must have in common to start, and what they get from rank 0.</summary>
public sealed class DataParallelStartTests
{
    [Fact]
    public void Constructor_OnRanksWithOtherWeights_GivesAllThoseOfRank0()
    {
        using var first = Model(seed: 0);
        var ranks = OnEach(3, (model, collective) =>
        {
            using (no_grad())
                model.state_dict()["1.running_mean"].fill_(collective.Rank + 1);
            return new DataParallel(model, collective);
        });

        Assert.All(ranks, model => Assert.Equal(Values(Weight(first)), Values(model.state_dict()["0.weight"])));
        Assert.All(ranks, model => Assert.Equal([1f, 1f, 1f], Values(model.state_dict()["1.running_mean"])));
    }

    [Fact]
    public void Constructor_WhenModelsDiffer_NamesTheParameter()
    {
        var error = Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, collective =>
        {
            using var model = Linear(3, 4 + collective.Rank);
            using var _ = new DataParallel(model, collective);
        }));

        Assert.Equal(
            "The ranks differ in 'weight': it is 'parameter Float32 [4, 3]' on rank 0, and 'parameter Float32 [5, 3]' on rank 1.",
            error.Message);
    }

    [Fact]
    public void Constructor_GivesAllTheBuffersThatAreNotPersistent()
    {
        ThreadRanks.Run(2, collective =>
        {
            using var model = Sequential(("inner", (nn.Module<Tensor, Tensor>)new Hidden(collective.Rank + 1)));

            using var parallel = new DataParallel(model, collective);

            Assert.Equal([1f, 1f], Values(((Hidden)model[0]).get_buffer("hidden")!));
        });
    }

    // Sums pair tensors by their place, so that these ones would be averaged crosswise.
    [Fact]
    public void Constructor_WhenTensorsAreInAnotherOrder_NamesTheFirst()
    {
        var error = ErrorOf(collective => Sequential(
            (collective.Rank == 0 ? [("a", Square()), ("b", Square()), ("c", Square())]
                : [("a", Square()), ("c", Square()), ("b", Square())])));

        Assert.Equal(
            "The ranks differ in 'the order of the model's tensors, number 1': it is 'b.weight' on rank 0, and "
                + "'c.weight' on rank 1.", error);
    }

    [Fact]
    public void Constructor_WhenAWeightIsTiedOnOneRank_NamesItAndTheRank()
    {
        var error = ErrorOf(collective =>
        {
            var (first, second) = (Square(), Square());
            second.weight = collective.Rank == 1 ? new Parameter(first.weight.alias()) : second.weight;
            return Sequential(("a", first), ("b", second));
        });

        Assert.Equal(
            "The ranks differ in 'b.weight': it is 'parameter Float32 [2, 2]' on rank 0, and 'parameter Float32 [2, 2], tied to "
                + "a.weight' on rank 1.",
            error);
    }

    [Fact]
    public void Constructor_WhenAWeightIsFrozenOnOneRank_NamesItAndTheRank()
    {
        var error = ErrorOf(collective =>
        {
            var layer = Square();
            layer.weight.requires_grad = collective.Rank == 0;
            return Sequential(("a", layer));
        });

        Assert.Equal(
            "The ranks differ in 'a.weight': it is 'parameter Float32 [2, 2]' on rank 0, and 'frozen parameter Float32 [2, "
                + "2]' on rank 1.", error);
    }

    [Fact]
    public void Constructor_WhenOptionsDiffer_NamesTheOptionAndTheRank()
    {
        var error = ErrorOf(
            _ => Sequential(("a", Square())), collective => new DataParallelOptions { BucketMebibytes = 4 + (0.5 * collective.Rank) });

        Assert.Equal("The ranks differ in 'DataParallelOptions.BucketMebibytes': it is '4' on rank 0, and '4.5' on rank 1.", error);
    }

    // Nothing is broadcast before all agree.
    [Fact]
    public void Constructor_AfterAnError_LeavesTheWeights()
    {
        var weights = new float[2][];

        Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, collective =>
        {
            using var model = Model(collective.Rank);
            model.parameters().Last().requires_grad = collective.Rank == 0;
            var before = Values(Weight(model));
            try
            {
                using var parallel = new DataParallel(model, collective);
            }
            finally
            {
                weights[collective.Rank] = Values(Weight(model));
                Assert.Equal(before, weights[collective.Rank]);
            }
        }));

        Assert.NotEqual(weights[0], weights[1]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void BucketMebibytes_OutsideItsRange_IsRefused(double mebibytes)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new DataParallelOptions { BucketMebibytes = mebibytes });
    }

    [Fact]
    public void BucketMebibytes_ByDefault_AreFour() => Assert.Equal(4, new DataParallelOptions().BucketMebibytes);

    [Fact]
    public void Constructor_OfNull_IsRefused()
    {
        using var model = Model(seed: 0);

        Assert.Throws<ArgumentNullException>("model", () => new DataParallel(null!, SingleRank.Instance));
        Assert.Throws<ArgumentNullException>("collective", () => new DataParallel(model, null!));
    }

    private static string ErrorOf(Func<ICollective, Sequential> make, Func<ICollective, DataParallelOptions>? options = null) =>
        Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, collective =>
        {
            using var model = make(collective);
            using var parallel = new DataParallel(model, collective, options?.Invoke(collective));
        })).Message;

    private static Linear Square() => Linear(2, 2, hasBias: false);

    private sealed class Hidden : nn.Module<Tensor, Tensor>
    {
        public Hidden(float value)
            : base(nameof(Hidden))
        {
            register_buffer("hidden", full(2, value), persistent: false);
        }

        public override Tensor forward(Tensor input) => input.alias();
    }
}
