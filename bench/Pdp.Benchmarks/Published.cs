using System.Diagnostics;

namespace Pdp.Benchmarks;

/// <summary>Published forms of the program that the widths benchmark starts.</summary>
internal static class Published
{
    private static readonly (string Name, string[] Properties)[] Forms =
    [
        ("ReadyToRun", ["-p:PublishReadyToRun=true", "--no-self-contained"]),
        ("ReadyToRun, composite", ["-p:PublishReadyToRun=true", "-p:PublishReadyToRunComposite=true", "--self-contained"]),
        ("NativeAOT", ["-p:PublishAot=true"]),
        ("NativeAOT, x86-64-v3", ["-p:PublishAot=true", "-p:IlcInstructionSet=x86-64-v3"]),
        ("NativeAOT, native", ["-p:PublishAot=true", "-p:IlcInstructionSet=native"]),
    ];

    /// <summary>Publishes all forms, which takes minutes, below the folder of the program.</summary>
    public static WidthsSetting[] Settings() =>
        [.. Forms.SelectMany((form, number) => SettingsOf(form.Name, Publish($"{number}", form.Properties)))];

    /// <summary>What was compiled beforehand stays for good where tiers are off.</summary>
    private static WidthsSetting[] SettingsOf(string form, string program) => form.StartsWith("Native", StringComparison.Ordinal)
        ? [new(form, program)]
        : [new(form, program), new(form, program, "TieredCompilation"), new(form, program, "EnableAVX512")];

    private static string Publish(string name, string[] properties)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "published", name);
        // Each form has its own folder for what is between, as the forms share a project.
        var start = new ProcessStartInfo(
            "dotnet", ["publish", Project(), "--runtime", "linux-x64", "--artifacts-path", Path.Combine(folder, "artifacts"), "--output",
            Path.Combine(folder, "program"), "-v", "quiet", .. properties])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? Path.Combine(folder, "program", "Pdp.Benchmarks")
            : throw new InvalidOperationException(
                $"dotnet publish {string.Join(' ', properties)} ended with {process.ExitCode}:{Environment.NewLine}{output}");
    }

    private static string Project()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "bench", "Pdp.Widths", "Pdp.Widths.csproj")))
                return Path.Combine(folder.FullName, "bench", "Pdp.Widths", "Pdp.Widths.csproj");
        }

        throw new InvalidOperationException("bench/Pdp.Widths is not above the program: run it in the repository.");
    }
}
