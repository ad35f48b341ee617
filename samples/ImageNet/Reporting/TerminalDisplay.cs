using Spectre.Console;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>A progress bar that stays in its place, for terminals.</summary>
internal sealed class TerminalDisplay(IAnsiConsole console) : IDisplay
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public void Line(string text) => console.WriteLine(text);

    public T Watch<T>(string title, long total, Func<Action<long, Func<string>>, T> work) => console.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context =>
        {
            var task = context.AddTask(Markup.Escape(title), maxValue: Math.Max(total, 1));
            var next = DateTime.MinValue;
            return work((done, detail) =>
            {
                if (DateTime.UtcNow >= next)
                {
                    next = DateTime.UtcNow + Pause;
                    task.Value = done;
                    task.Description = Markup.Escape($"{title}  {detail()}");
                }
            });
        });
}
