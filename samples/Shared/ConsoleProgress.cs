namespace Pdp.Samples;

/// <summary>A progress bar on the last line of a terminal; where output goes to a file it stays silent.</summary>
internal sealed class ConsoleProgress(string label, long total) : IDisposable
{
    private const int Width = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private readonly bool _isVisible = !Console.IsOutputRedirected && !IsSilent;
    private DateTime _next = DateTime.MinValue;
    private int _written;

    /// <summary>Whether no bar is shown on terminals either, as Open MPI gives its ranks one wherever their output goes.</summary>
    public static bool IsSilent { get; set; }

    public void Report(long done, string detail = "")
    {
        if (!_isVisible || DateTime.UtcNow < _next)
        {
            return;
        }

        _next = DateTime.UtcNow + Pause;
        var share = total > 0 ? Math.Clamp(done / (double)total, 0, 1) : 0;
        var filled = (int)(share * Width);
        Show($"{label} [{new string('#', filled)}{new string(' ', Width - filled)}] {share,4:P0} {detail}");
    }

    /// <summary>Wipes the bar, so that the next line starts clean.</summary>
    public void Dispose()
    {
        if (_written > 0)
        {
            Show("");
            Console.Write('\r');
        }
    }

    private void Show(string text)
    {
        Console.Write('\r' + text.PadRight(_written));
        _written = text.Length;
    }
}
