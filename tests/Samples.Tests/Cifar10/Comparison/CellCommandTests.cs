using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

public sealed class CellCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("MALLOC_MMAP_THRESHOLD_", "1000000000")]
    [InlineData("MALLOC_TRIM_THRESHOLD_", "2000000000")]
    public void Of_KeepsMemoryBetweenSteps_UnlessTheCallerSaysHow(string name, string bytes)
    {
        var before = Environment.GetEnvironmentVariable(name);
        try
        {
            Environment.SetEnvironmentVariable(name, null);
            var byDefault = CellCommand.Of(Folder(), new CompareSettings { Data = "cifar10" }).Environment[name];
            Environment.SetEnvironmentVariable(name, "4096");
            var asked = CellCommand.Of(Folder(), new CompareSettings { Data = "cifar10" }).Environment[name];

            Assert.Equal((bytes, "4096"), (byDefault, asked));
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, before);
        }
    }

    private CellFolder Folder()
    {
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": {} } }""");
        return new CellFolder(Recipes.Sample, _folder.Path, recipe.Cells().Last());
    }
}
