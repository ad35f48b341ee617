using System.Globalization;
using System.Text;

namespace Pdp.Samples.Comparison;

/// <summary>The finished and the failed cells as CSV.</summary>
internal static class ResultsCsv
{
    public static string Of(Results results)
    {
        var csv = new StringBuilder(Header(results.Sample.Metric));
        foreach (var result in results.Cells)
        {
            var report = result.Report;
            AppendCell(csv, result.Cell, report.Strategy, report.Epochs);
            csv.Append(CultureInfo.InvariantCulture, $",{report.Score:R},{report.Sparsity:R},{report.RemovedMacs:R}");
            csv.Append(CultureInfo.InvariantCulture, $",{report.SoftScore:R}");
            csv.Append(CultureInfo.InvariantCulture, $",{report.StepRatio:R},{results.MemoryRatio(result):R}");
            csv.Append(CultureInfo.InvariantCulture, $",{report.ExtraParameters},{report.SecondsPerEpoch:R}");
            csv.Append(CultureInfo.InvariantCulture, $",{report.Version},{Quoted(report.Machine ?? "")},\n");
        }

        foreach (var (cell, error) in results.Failures)
        {
            var asked = results.Sample.Settings(cell.Arguments);
            AppendCell(csv, cell, asked.Strategy, asked.Epochs);
            csv.Append(CultureInfo.InvariantCulture, $",,,,,,,,,,,{Quoted(error)}\n");
        }

        return csv.ToString();
    }

    private static string Header(Metric metric) =>
        $"column,row,method,strategy,seed,epochs,{metric.Name},sparsity,macs_removed,soft_{metric.Name}," +
        "step_ratio,memory_ratio,extra_parameters,seconds_per_epoch,version,machine,error\n";

    private static void AppendCell(StringBuilder csv, Cell cell, string strategy, int epochs) =>
        csv.Append(CultureInfo.InvariantCulture, $"{Quoted(cell.Column)},{Quoted(cell.Row)},{cell.Method},{strategy},{cell.Seed},{epochs}");

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
