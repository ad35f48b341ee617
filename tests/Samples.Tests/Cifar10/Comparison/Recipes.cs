using Pdp.Samples.Cifar10;
using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

/// <summary>Recipes for runs of this sample.</summary>
internal static class Recipes
{
    public static IComparedSample Sample { get; } = new ComparedCifar10();

    public static CompareRecipe Parse(string json) => CompareRecipe.Parse(json, Sample);

    public static CompareRecipe Read(string name) => CompareRecipe.Read(name, Sample);
}
