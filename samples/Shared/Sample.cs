using System.Runtime.InteropServices;
using System.Text.Json;

namespace Pdp.Samples;

/// <summary>The frame of a sample's program: shows help, and reports errors by a line that says what to do, not by a stack trace.</summary>
internal static class Sample
{
    /// <summary>What a run's numbers depend on, besides its settings: versions and processor.</summary>
    public static string Versions { get; } =
        $".NET {Environment.Version}, TorchSharp {typeof(TorchSharp.torch).Assembly.GetName().Version}, {Machine.Processor}";

    /// <summary>Runs a program, or shows its help if its command line asks for that.</summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="help">The text of its help.</param>
    /// <param name="run">The work; returns the exit code.</param>
    /// <returns>The exit code: 1 where something went wrong.</returns>
    public static int Run(IReadOnlyList<string> arguments, Func<string> help, Func<int> run)
    {
        if (Help.IsAsked(arguments))
        {
            Console.Write(help());
            return 0;
        }

        return Run(arguments, Console.Error, run);
    }

    /// <summary>Runs the work, and reports errors.</summary>
    internal static int Run(IReadOnlyList<string> arguments, TextWriter errors, Func<int> run)
    {
        try
        {
            return run();
        }
        catch (Exception e) when (Describe(e) is { } text)
        {
            errors.WriteLine(text.Contains("--", StringComparison.Ordinal) || arguments.Count == 0 ? text
                : $"{text}\nThe options given are {string.Join(' ', arguments)}");
            return 1;
        }
    }

    /// <summary>What a user is told of an error; null for a bug of the program, whose stack trace is wanted.</summary>
    public static string? Describe(Exception error) => error switch
    {
        OutOfMemoryException or ExternalException => $"{error.Message.Split('\n')[0]}\nIf memory ran out, lower --batch.",
        ArgumentException or InvalidOperationException or InvalidDataException or FormatException or OverflowException or JsonException =>
            OptionValue.Plain(error),
        IOException or UnauthorizedAccessException or HttpRequestException => error.Message,
        _ => null,
    };
}
