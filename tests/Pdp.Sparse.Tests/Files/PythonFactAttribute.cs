using System.Diagnostics;

namespace Pdp.Sparse.Tests.Files;

/// <summary>A test that runs Python with numpy; it is skipped where there is none.</summary>
internal sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute() => Skip = Python is null ? "There is no python3 with numpy." : null;

    private static string? Python { get; } = new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(
        python => Succeeds(python, "import numpy"));

    /// <summary>Runs a script and throws if it fails.</summary>
    public static void Run(string script, params string[] arguments)
    {
        using var process = Start(Python!, script, arguments);
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
    }

    private static bool Succeeds(string python, string script)
    {
        try
        {
            using var process = Start(python, script, []);
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static Process Start(string python, string script, string[] arguments) =>
        Process.Start(new ProcessStartInfo(python, ["-c", script, .. arguments]) { RedirectStandardError = true })!;
}
