namespace Pdp.Samples.Tests;

public sealed class MissingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MissingRunTests()
    {
        Directory.CreateDirectory(_folder.File("runs/pdp-1/checkpoints"));
        Directory.CreateDirectory(_folder.File("runs/dense"));
        File.WriteAllText(_folder.File("runs/pdp-1/checkpoint"), "");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("runs/pdp-2")]
    [InlineData("runs/pdp-1/checkpoints")]
    [InlineData("runs")]
    [InlineData("rnus/pdp-1")]
    [InlineData("runs/pdp-2/")]
    public void In_WhenARunIsNear_NamesIt(string given)
    {
        var error = MissingRun.In(_folder.File(given), "checkpoint", IsRun);

        Assert.Contains($"did you mean --out {_folder.File("runs/pdp-1")}?", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runs/granet")]
    [InlineData("elsewhere/deeper/pdp-1")]
    public void In_WhenNoRunIsNear_SaysOnlyWhereItLooked(string given)
    {
        var error = MissingRun.In(_folder.File(given), "checkpoint", IsRun);

        Assert.Equal($"--resume found no checkpoint in '{_folder.File(given)}'. To start over, leave out --resume.", error.Message);
    }

    private static bool IsRun(string folder) => File.Exists(Path.Join(folder, "checkpoint"));
}
