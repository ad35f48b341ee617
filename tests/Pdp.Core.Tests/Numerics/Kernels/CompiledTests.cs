using System.Reflection;

namespace Pdp.Tests.Numerics.Kernels;

public sealed class CompiledTests
{
    private const BindingFlags All =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>
    /// As by the JIT's own list of what it compiled, some processes had a call for each vector before all loops were kept apart.
    /// </summary>
    [Fact]
    public void Loops_OptimizedFromTheFirstCallOn_AreNotTakenIntoCallers()
    {
        var loops = typeof(PdpPruner).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(All))
            .Where(method => method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveOptimization))
            .ToArray();

        Assert.NotEmpty(loops);
        Assert.All(loops, loop => Assert.True(
            loop.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoInlining), $"{loop.DeclaringType}.{loop.Name}"));
    }
}
