using System.Diagnostics;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>Lines of text, for output that goes to a file: one from time to time.</summary>
internal sealed class PlainDisplay(TextWriter output, TimeSpan pause) : IDisplay
{
    public void Line(string text) => output.WriteLine(text);

    public T Watch<T>(string title, long total, Func<Action<long, Func<string>>, T> work)
    {
        var (clock, shown) = (Stopwatch.StartNew(), TimeSpan.Zero);
        var first = -1L;
        return work((done, detail) =>
        {
            // Work that resumes in the middle must not count what was done before.
            first = first < 0 ? done - 1 : first;
            if (clock.Elapsed - shown >= pause)
            {
                shown = clock.Elapsed;
                var left = shown * ((total - done) / (double)(done - first));
                output.WriteLine($"{title}: {done}/{total}, {left:d\\.hh\\:mm\\:ss} left, {detail()}");
            }
        });
    }
}
