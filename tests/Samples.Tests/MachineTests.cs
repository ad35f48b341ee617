using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Pdp.Samples.Tests;

public sealed class MachineTests
{
    [Fact]
    public void Processor_IsWhatTheSystemSays()
    {
        Assert.StartsWith(Expected(), Machine.Processor, StringComparison.Ordinal);
        Assert.Equal(Avx512F.IsSupported, Machine.Processor.EndsWith(", AVX-512", StringComparison.Ordinal));
    }

    // Only Linux on x64 has it in a file.
    private static string Expected()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return "";
        }

        var facts = File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0)
            .ToDictionary(line => line.Split(':')[0].Trim(), line => line.Split(':', 2)[1].Trim(), StringComparer.Ordinal);
        return $"{facts["model name"]} (family {facts["cpu family"]}, model {facts["model"]})";
    }
}
