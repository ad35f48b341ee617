using System.Globalization;
using System.Text;

namespace Pdp.Samples.Cifar10.Comparison;

/// <summary>The finished and the failed cells as CSV.</summary>
internal static class ResultsCsv
{
    private const string Header =
        "column,row,method,strategy,seed,epochs,accuracy,sparsity,macs_removed,soft_accuracy,step_ratio,memory_ratio,extra_parameters,seconds_per_epoch,error\n";

    public static string Of(Results results)
    {
        var csv = new StringBuilder(Header);
        foreach (var result in results.Cells)
        {
            var report = result.Report;
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{Quoted(result.Cell.Column)},{Quoted(result.Cell.Row)},{report.Method},{report.Strategy},{report.Seed},{report.Epochs},{report.Accuracy:R},{report.Sparsity:R},{report.MacsRemoved:R},{report.SoftAccuracy:R},{report.StepRatio:R},{results.MemoryRatio(result):R},{report.ExtraParameters},{report.SecondsPerEpoch:R},\n");
        }

        foreach (var (cell, error) in results.Failures)
        {
            var asked = CommandLine.Parse<Settings>(cell.Arguments);
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{Quoted(cell.Column)},{Quoted(cell.Row)},{cell.Method},{asked.Strategy},{cell.Seed},{asked.Epochs},,,,,,,,,{Quoted(error)}\n");
        }

        return csv.ToString();
    }

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
