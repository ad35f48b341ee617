namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>Lines of text, for output that goes to a file: one from time to time.</summary>
/// <param name="output">Where they go.</param>
/// <param name="pause">The least time from one to the next.</param>
/// <param name="time">Tells the time; the system's clock if none is given.</param>
internal sealed class PlainDisplay(TextWriter output, TimeSpan pause, TimeProvider? time = null) : IDisplay
{
    public void Line(string text) => output.WriteLine(text);

    public T Watch<T>(string title, long total, Func<Action<long, Func<string>>, T> work)
    {
        var clock = time ?? TimeProvider.System;
        var (start, shown) = (clock.GetTimestamp(), TimeSpan.Zero);
        var first = -1L;
        return work((done, detail) =>
        {
            // Work that resumes in the middle must not count what was done before.
            first = first < 0 ? done - 1 : first;
            var elapsed = clock.GetElapsedTime(start);
            if (elapsed - shown >= pause)
            {
                shown = elapsed;
                var left = shown * ((total - done) / (double)(done - first));
                output.WriteLine($"{title}: {done}/{total}, {left:d\\.hh\\:mm\\:ss} left, {detail()}");
            }
        });
    }
}
