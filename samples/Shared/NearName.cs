namespace Pdp.Samples;

/// <summary>Finds the name that was probably meant by a misspelled one.</summary>
internal static class NearName
{
    private const int Slips = 3;

    /// <summary>
    /// The candidate that differs in the fewest letters, of those that differ in few or begin as the name does or the reverse; null if
    /// there is none.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates) => candidates
        .Select(candidate => (Text: candidate, Distance: Distance(name, candidate)))
        .Where(candidate => candidate.Distance <= Slips || IsBeginning(name, candidate.Text) || IsBeginning(candidate.Text, name))
        .OrderBy(candidate => candidate.Distance)
        .FirstOrDefault().Text;

    private static bool IsBeginning(string text, string of) => text.Length > 0 && of.StartsWith(text, StringComparison.Ordinal);

    // Levenshtein's distance, one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
