using Pdp.Samples.ImageNet.Reporting;
using Spectre.Console;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class DisplayTests : IDisposable
{
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Watch_OnATerminal_ShowsTheWorkAndRunsItOnThisThread()
    {
        // Dispose scopes and no_grad are the thread's own: work that moved to another one would break a run.
        var display = new TerminalDisplay(Terminal());
        var thread = 0;

        var result = display.Watch("epoch 1/2", 4, report =>
        {
            thread = Environment.CurrentManagedThreadId;
            report(1, () => "loss [1.5]");
            Thread.Sleep(300);
            return 7;
        });

        Assert.Equal((7, Environment.CurrentManagedThreadId), (result, thread));
        Assert.Contains("epoch 1/2  loss [1.5]", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("25%", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_OnATerminal_LetsExceptionsThrough() => Assert.Throws<TimeoutException>(
        () => new TerminalDisplay(Terminal()).Watch<int>("epoch 1/2", 4, _ => throw new TimeoutException()));

    [Fact]
    public void Watch_InAFile_WritesALineWhenThePauseIsOver()
    {
        var clock = new SetClock();
        var display = new PlainDisplay(_output, TimeSpan.FromSeconds(10), clock);

        display.Watch("epoch 1/2", 8, report =>
        {
            clock.Now = TimeSpan.FromSeconds(9);
            report(5, () => throw new InvalidOperationException("made in vain"));
            clock.Now = TimeSpan.FromSeconds(12);
            report(6, () => "loss 1.5");
            return 0;
        });

        // Two of the four steps from 4 on took twelve seconds; the other two will.
        Assert.Equal($"epoch 1/2: 6/8, 0.00:00:12 left, loss 1.5{_output.NewLine}", _output.ToString());
    }

    private IAnsiConsole Terminal()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(_output),
        });
        console.Profile.Width = 120;
        return console;
    }

    private sealed class SetClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
