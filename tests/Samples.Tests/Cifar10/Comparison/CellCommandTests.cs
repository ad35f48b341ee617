using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests.Cifar10.Comparison;

public sealed class CellCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("w.safetensors")]
    public void Of_StartsThisProgramForTheCell_WithOneThread(string? weights)
    {
        var start = CellCommand.Of(Folder(), new CompareSettings { Data = "cifar10", Weights = weights });

        var cells = Path.Combine(_folder.Path, "cells");
        // The runtime's own program is told which one to run.
        string[] program = Path.GetFileNameWithoutExtension(start.FileName) == "dotnet" ? [typeof(CellCommand).Assembly.Location] : [];
        string[] given = weights is null ? [] : ["--weights", weights];
        string[] expected = [
            .. program,
            "--method", "pdp", "--seed", "0", "--sparsity", "0.8",
            "--teacher", Path.Combine(cells, "dense-dense-0", "weights.safetensors"),
            "--data", "cifar10", "--out", Path.Combine(cells, "80-pdp-0"), "--deploy", "false", .. given,
        ];
        Assert.Equal(Environment.ProcessPath, start.FileName);
        Assert.Equal(expected, start.ArgumentList);
        Assert.Equal("1", start.Environment["OMP_NUM_THREADS"]);
    }

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
        var recipe = Recipes.Parse("""{ "seeds": [0], "columns": { "80 %": { "sparsity": 0.8 } }, "methods": { "pdp": { "options":"""
            + """ { "teacher": "{dense}" } } } }""");
        return new CellFolder(Recipes.Sample, _folder.Path, recipe.Cells().Last());
    }
}
