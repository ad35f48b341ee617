using Pdp.Masking;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

public sealed class DeferredCheckTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_OnTheHost_TellsAtOnce(bool holds)
    {
        using var condition = tensor(holds);
        using var check = new DeferredCheck(DeviceType.CPU);

        Assert.Equal(holds, check.Note(condition));

        Assert.False(check.Take());
    }

    [Fact]
    public void Note_OnADevice_TellsWhenAskedAndForgets()
    {
        using var scope = NewDisposeScope();
        using var check = new DeferredCheck(DeviceType.CUDA);

        foreach (var holds in new[] { false, true, false })
            Assert.False(check.Note(tensor(holds)));

        Assert.True(check.Take());
        Assert.False(check.Take());
    }

    [Fact]
    public void Note_OnADeviceInInferenceMode_LeavesOthersPossible()
    {
        using var scope = NewDisposeScope();
        using var check = new DeferredCheck(DeviceType.CUDA);

        using (inference_mode())
            check.Note(tensor(false));
        check.Note(tensor(true));

        Assert.True(check.Take());
    }

    [Fact]
    public void Note_OnADeviceInAScope_OutlivesTheScope()
    {
        using var check = new DeferredCheck(DeviceType.CUDA);

        using (var scope = NewDisposeScope())
            check.Note(tensor(true));

        Assert.True(check.Take());
    }
}
