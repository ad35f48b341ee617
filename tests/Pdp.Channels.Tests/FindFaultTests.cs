using Pdp.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>What Find says of examples and models that it can't work with, and that it leaves them as they were.</summary>
public sealed class FindFaultTests
{
    [Fact]
    public void Find_OnAnEmptyBatch_SaysSo()
    {
        using var model = Of(Linear(6, 8), Linear(8, 3));
        using var example = rand(0, 6);
        var before = Everything.Of(model);

        var fault = Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        Assert.Contains("The example is empty", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Fact]
    public void Find_OfAModelThatWasBornUnderInferenceMode_SaysSo()
    {
        var model = Born();
        using var example = rand(2, 6);

        var fault = Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        Assert.Contains("'first.weight' was created under inference_mode", fault.Message, StringComparison.Ordinal);
        model.Dispose();

        static Net Born()
        {
            using var _ = inference_mode(true);
            return Of(Linear(6, 8), Linear(8, 3));
        }
    }

    [Fact]
    public void Find_OfAnExpandedParameter_SaysSoAndChangesNothing()
    {
        var first = Linear(6, 8);
        first.bias = new Parameter(zeros(1).expand(8));
        using var model = Of(first, Linear(8, 3));
        using var example = rand(2, 6);
        first.weight.grad = ones_like(first.weight);
        var before = Everything.Of(model);

        var fault = Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        Assert.Contains("The elements of 'first.bias' share memory", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Fact]
    public void Find_OfAnExampleOfOtherSize_ThrowsWhatTheModelThrows()
    {
        using var model = Of(Linear(6, 8), Linear(8, 3));
        using var example = rand(2, 7);
        var before = Everything.Of(model);

        var fault = Assert.ThrowsAny<Exception>(() => ChannelMap.Find(model, example));

        Assert.Contains("shapes cannot be multiplied", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Fact]
    public void Find_OnNumbersThatAreNotFinite_SaysThatNothingCanBeSeen()
    {
        using var model = Of(Linear(6, 8), Linear(8, 3));
        using var example = full([2, 6], double.NaN);

        var map = ChannelMap.Find(model, example);

        Assert.Empty(map.Groups);
        Assert.NotEmpty(map.Unsupported);
        Assert.All(map.Unsupported.Values, reason => Assert.Contains("not finite", reason, StringComparison.Ordinal));
    }

    /// <summary>The library's functions check some sizes by exceptions that end the process unless the thread is watched.</summary>
    [Theory]
    [InlineData("matmul")]
    [InlineData("bmm")]
    [InlineData("einsum")]
    [InlineData("linear")]
    [InlineData("conv1d")]
    [InlineData("lookup")]
    public void Find_OfChannelsThatABareMatrixReads_NamesTheMatrix(string function)
    {
        var (first, bare, last) = (Linear(6, 8), new Learned(8, 4), Linear(4, 3));
        using var model = new Net(new { first, bare, last }, x =>
        {
            x = functional.relu(first.call(x));
            return last.call(function switch
            {
                "matmul" => x.matmul(bare.value),
                "bmm" => x.unsqueeze(1).bmm(bare.value.expand(x.size(0), -1, -1)).squeeze(1),
                "einsum" => einsum("bi,io->bo", x, bare.value),
                "linear" => functional.linear(x, bare.value.t()),
                "conv1d" => functional.conv1d(x.unsqueeze(2), bare.value.t().unsqueeze(2)).squeeze(2),
                _ => bare.value.index_select(0, x.argmax(1)).mul(x.narrow(1, 0, 4)),
            });
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Empty(map.Groups);
        Assert.StartsWith(
            "bare.value reads its channels too but belongs to no layer", map.Unsupported["first.weight"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("view")]
    [InlineData("as_strided")]
    [InlineData("narrow")]
    [InlineData("index_select")]
    [InlineData("constant matmul")]
    public void Find_OfCodeThatFixesSizes_SaysThatTheModelDoesNotRun(string function)
    {
        using var constant = eye(8);
        var (first, last) = (Linear(6, 8), Linear(8, 3));
        using var model = new Net(new { first, last }, x =>
        {
            x = functional.relu(first.call(x));
            return last.call(function switch
            {
                "view" => x.view(-1, 2, 4).flatten(1),
                "as_strided" => x.as_strided([x.size(0), 8], [8, 1]),
                "narrow" => x.narrow(1, 0, 8),
                "index_select" => x.index_select(1, arange(8, dtype: ScalarType.Int64)),
                _ => x.matmul(constant),
            });
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Contains("does not run without some of its channels", map.Unsupported["first.weight"], StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OfWholeNumbers_SaysThatTheyHaveNoGradient()
    {
        using var model = new Ending(x => x.argmax(1));
        using var example = ones(1, 6);

        Assert.Contains("has no gradient", Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example)).Message);
    }

    [Fact]
    public void Find_OfADetachedOutput_SaysThatItHasNoGradient()
    {
        using var model = new Ending(x => x.detach());
        using var example = ones(1, 6);

        Assert.Contains("has no gradient", Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example)).Message);
    }

    [Fact]
    public void Find_OfComplexOutputs_FindsTheChannels()
    {
        using var model = new Ending(x => fft.fft_(x));
        using var example = rand(2, 6);

        Assert.Equal(["first.weight"], ChannelMap.Find(model, example).Groups.Select(group => group.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Find_OfAProductWithAMatrixThatNobodyKnowsOf_RefusesAndGoesOn(bool isSymmetric)
    {
        var matrix = isSymmetric ? ones(8, 2) : rand(8, 2);
        using var model = new Net(new { first = Linear(6, 8), second = Linear(8, 3), third = Linear(5, 5) }, (net, x) =>
        {
            Tensor Layer(string name, Tensor input) => ((Linear)net.named_children().Single(pair => pair.name == name).module).call(input);
            x = functional.relu(Layer("first", x));
            return Layer("third", cat([x.matmul(matrix), Layer("second", x)], 1));
        });
        using var example = rand(2, 6);

        var map = ChannelMap.Find(model, example);

        Assert.Contains("does not run without some of its channels", map.Unsupported["first.weight"]);
        matrix.Dispose();
    }

    /// <summary>A cancelled pass shows nothing of the channels, so it must not pass for one that sizes make fail.</summary>
    [Theory]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(UnauthorizedAccessException))]
    public void Find_OfAForwardThatGivesUpMidway_ThrowsItAndRestoresTheModel(Type fault)
    {
        using var model = new Ending(x => x);
        using var example = rand(2, 6);
        var calls = 0;
        Assert.NotEmpty(ChannelMap.Find(model, () => Call(int.MaxValue)).Groups);
        var before = Everything.Of(model);
        foreach (var last in new[] { 1, 2, calls / 2, calls - 4, calls - 1 })
        {
            calls = 0;
            Assert.Throws(fault, () => ChannelMap.Find(model, () => Call(last)));
            Assert.Equal(before, Everything.Of(model));
        }

        Tensor Call(int last) => calls++ < last ? model.call(example) : throw (Exception)Activator.CreateInstance(fault)!;
    }

    private static Net Of(Module<Tensor, Tensor> first, Module<Tensor, Tensor> second) =>
        new(new { first, second }, x => second.call(functional.relu(first.call(x))));
}
