using System.Diagnostics;
using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class InterruptTests
{
    [SignalTheory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public void Token_WhenTheProcessIsSignalled_IsCancelled(string signal, int exitCode)
    {
        using var interrupt = new Interrupt();
        Assert.False(interrupt.Token.IsCancellationRequested);

        using (var kill = Process.Start("kill", [$"-{signal}", $"{Environment.ProcessId}"]))
        {
            kill.WaitForExit();
        }

        Assert.True(interrupt.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
        Assert.Equal(exitCode, interrupt.ExitCode);
    }
}
