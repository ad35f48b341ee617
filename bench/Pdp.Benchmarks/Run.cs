using System.Globalization;

namespace Pdp.Benchmarks;

/// <summary>How to measure.</summary>
/// <param name="IsQuick">Fewer cases, and a few seconds for each.</param>
/// <param name="Threads">libtorch's threads, which are also ours.</param>
/// <param name="Only">What the name of a case must contain.</param>
/// <param name="Data">The folder of pictures.</param>
/// <param name="IsPublished">Whether published forms of the program are measured, too.</param>
/// <param name="Sparsities">The sparsities of a sparse run; null for its own.</param>
/// <param name="Device">Where the steps run, such as cpu or cuda.</param>
/// <param name="Plan">The plan of a packed network, which a process of its own packs by; null for a plain one.</param>
internal sealed record Run(
    bool IsQuick, int Threads, string Only, string? Data, bool IsPublished, string[]? Sparsities, string? Plan,
    string Device = "cpu")
{
    public static Run Parse(string[] arguments)
    {
        var run = new Run(false, Environment.ProcessorCount, "", null, false, null, null);
        for (var i = 0; i < arguments.Length; i++)
        {
            run = arguments[i] switch
            {
                "--quick" => run with { IsQuick = true },
                "--threads" => run with { Threads = int.Parse(arguments[++i], CultureInfo.InvariantCulture) },
                "--only" => run with { Only = arguments[++i] },
                "--data" => run with { Data = arguments[++i] },
                "--published" => run with { IsPublished = true },
                "--plan" => run with { Plan = arguments[++i] },
                "--device" => run with { Device = arguments[++i] },
                "--sparsity" => run with { Sparsities = arguments[++i].Split(',') },
                _ => throw new ArgumentException(
                    $"'{arguments[i]}' is none of --quick, --threads N, --only TEXT, --sparsity LIST, --data DIR, --device NAME, "
                    + "--published."),
            };
        }

        return run;
    }

    /// <summary>The time for one measurement, of so many seconds.</summary>
    public TimeSpan Budget(double quick, double full) => TimeSpan.FromSeconds(IsQuick ? quick : full);

    /// <summary>Whether a network is to be measured: all, or the small ones if it has to be quick and none was named.</summary>
    public bool Wants(Case network) => !IsQuick || network.IsQuick || Only.Length > 0;

    /// <summary>Whether a case was asked for.</summary>
    public bool Wants(string name) => name.Contains(Only, StringComparison.OrdinalIgnoreCase);
}
