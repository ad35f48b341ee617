using System.Runtime.InteropServices;
using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>What a search that fails leaves on the model and on the caller's thread: nothing.</summary>
public sealed class FindCleanupTests
{
    /// <summary>A hook that stayed would copy the inputs of every later call.</summary>
    [Fact]
    public void Find_WhereTheNativeLibraryFailsAtOnce_LeavesNoHook()
    {
        var (first, bare) = (Linear(8, 3), new Learned(6, 8));
        using var model = new Net(new { first, bare }, x => first.call(x.matmul(bare.value)));
        using var example = rand(2, 7);

        var fault = Assert.ThrowsAny<Exception>(() => ChannelMap.Find(model, example));

        // Windows makes it a managed exception.
        Assert.True(
            fault is ExternalException || fault.Message.Contains("native library fails", StringComparison.Ordinal), fault.ToString());
        Assert.Equal(0, Hooks.In(model));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Find_OfAForwardThatGivesUp_LeavesNoHook(int last)
    {
        using var model = new Ending(x => x);
        using var example = rand(2, 6);
        var calls = 0;

        Assert.Throws<OperationCanceledException>(() => ChannelMap.Find(
            model, () => calls++ < last ? model.call(example) : throw new OperationCanceledException()));

        Assert.Equal(0, Hooks.In(model));
    }

    [Fact]
    public void Find_OfAModelThatItRefuses_LeavesNeitherScopeNorMode()
    {
        var first = Linear(6, 8);
        first.bias = new Parameter(zeros(1).expand(8));
        using var model = new Net(new { first, second = Linear(8, 3) }, first.call);
        using var example = rand(2, 6);
        using var _ = no_grad();

        Assert.Throws<ArgumentException>(() => ChannelMap.Find(model, example));

        var unscoped = DisposeScopeManager.Statistics.CreatedOutsideScopeCount;
        using var later = ones(1);
        Assert.Equal(unscoped + 1, DisposeScopeManager.Statistics.CreatedOutsideScopeCount);
        Assert.False(is_grad_enabled());
    }
}
