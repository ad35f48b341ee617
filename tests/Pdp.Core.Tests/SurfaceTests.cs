using System.Reflection;

namespace Pdp.Tests;

/// <summary>What holds for all that is public.</summary>
public sealed class SurfaceTests
{
    private static readonly Type[] Public = typeof(PdpPruner).Assembly.GetExportedTypes();

    /// <summary>The folders are for those who read the code; who uses it writes <c>using Pdp;</c>.</summary>
    [Fact]
    public void PublicTypes_AreInOneNamespace() =>
        Assert.All(Public, type => Assert.Equal(nameof(Pdp), type.Namespace));

    /// <summary>The one that is allowed is what TorchSharp's <c>named_parameters</c> gives.</summary>
    [Fact]
    public void PublicSignatures_HaveNoTuples()
    {
        var signatures = Public.Except([typeof(NamedParameter)])
            .SelectMany(type => type.GetMembers(
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).OfType<MethodBase>())
            .Select(method => (
                Name: $"{method.DeclaringType!.Name}.{method.Name}",
                Types: method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType)))
            .ToArray();

        Assert.Contains(signatures, signature => signature.Name == "MacCount.After");
        Assert.DoesNotContain(signatures, signature => signature.Types.Any(HasTuple));
    }

    /// <summary>A constructor of many values breaks with each new one, and its callers can't tell them apart.</summary>
    [Fact]
    public void PublicRecords_HaveConstructorsOfFiveValuesAtMost() =>
        Assert.All(Public.Where(type => !type.IsAssignableTo(typeof(Delegate)))
            .SelectMany(type => type.GetConstructors()), constructor => Assert.InRange(constructor.GetParameters().Length, 0, 5));

    private static bool HasTuple(Type? type) => type is not null
        && (type.FullName?.StartsWith("System.ValueTuple", StringComparison.Ordinal) == true
        || type.GetGenericArguments().Any(HasTuple) || HasTuple(type.GetElementType()));
}
