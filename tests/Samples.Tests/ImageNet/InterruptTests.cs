using System.Diagnostics;
using Pdp.Samples.ImageNet.Training;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class InterruptTests
{
    /// <summary>A signal that arrives after the test would end the process that runs it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

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

        Assert.True(interrupt.Token.WaitHandle.WaitOne(Patience));
        Assert.Equal(exitCode, interrupt.ExitCode);
    }
}
