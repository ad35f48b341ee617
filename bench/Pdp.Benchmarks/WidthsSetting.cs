namespace Pdp.Benchmarks;

/// <summary>How the processes of one row run.</summary>
/// <param name="Form">The form of the program, for the name of the row.</param>
/// <param name="Program">The published program; null for this one.</param>
/// <param name="Off">What the runtime is told not to use.</param>
internal sealed record WidthsSetting(string Form, string? Program, params string[] Off)
{
    public string Name => string.Join(", ", [Form, .. Off.Select(name => $"{name}=0")]);

    /// <summary>The environment variables that say so.</summary>
    public IEnumerable<(string Name, string Value)> Variables => Off.Select(name => ($"DOTNET_{name}", "0"));
}
