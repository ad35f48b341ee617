using Pdp.Samples.ImageNet.Reporting;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class EpochMetricsTests
{
    [Fact]
    public void ToRow_OfLargeNumbers_StandsBelowItsHeaderIn100Columns()
    {
        var row = new EpochMetrics(100, 6.9078, 1.024, 1, 1, 0.6953, 0.8912, 0.855, 86399.9, 12345.6).ToRow();

        Assert.Equal(EpochMetrics.RowHeader.Length, row.Length);
        Assert.InRange(row.Length, 0, 100);
        Assert.Equal(["100", "6.9078", "1.024000", "100.00%", "100.00%", "69.53%", "89.12%", "85.50%", "86399.9", "12345.6"], row.Split(
            ' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void List_OfARunsFolder_NamesWhatIsThere()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(RunFiles.Report), "{}");
        Directory.CreateDirectory(folder.File("checkpoints"));

        var lines = RunFiles.List(folder.Path).Split(Environment.NewLine);

        Assert.Equal([$"Files in '{folder.Path}':", "  report.json                the last line below", "  checkpoints                the "
            + "last checkpoints and the best"], lines);
    }
}
