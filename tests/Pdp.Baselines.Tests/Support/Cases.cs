namespace Pdp.Baselines.Tests.Support;

/// <summary>Every method by name, on what it is defined for, over ten epochs.</summary>
internal static class Cases
{
    /// <summary>Options for the weights of <see cref="Scene"/>, at a sparsity.</summary>
    public static IReadOnlyDictionary<string, Func<double, PdpOptions>> OfWeights { get; } =
        new Dictionary<string, Func<double, PdpOptions>>
        {
            ["GMP"] = sparsity => With(new Gmp(), sparsity),
            ["DNW"] = sparsity => With(new Dnw(), sparsity),
            ["SR-STE"] = sparsity => With(new SrSte(), sparsity),
            ["AC/DC"] = sparsity => With(new AcDc(), sparsity),
            ["GraNet"] = sparsity => With(new GraNet { Interval = 1 }, sparsity),
            ["pattern lock"] = Prepared.Lock,
            ["STR"] = sparsity => new() { Method = new Str { Start = sparsity == 0 ? -3200 : -2 }, Epochs = 10 },
            ["OptG"] = sparsity => With(new OptG(), sparsity),
            ["MVP"] = sparsity => With(new MovementPruning(), sparsity),
            ["GMP 2:4"] = sparsity => InGroups(new Gmp(), sparsity),
            ["DNW 2:4"] = sparsity => InGroups(new Dnw(), sparsity),
            ["SR-STE 2:4"] = sparsity => InGroups(new SrSte(), sparsity),
            ["AC/DC 2:4"] = sparsity => InGroups(new AcDc(), sparsity),
        };

    /// <summary>The methods on channels that belong together, as <see cref="ChannelScene.Make"/> names them.</summary>
    public static IReadOnlyList<string> OfChannels { get; } = ["NISP", "SCP", "DCP", "DCP-score", "GMP", "MVP"];

    public static PdpOptions With(IPruningMethod method, double sparsity) => new() { Method = method, Sparsity = sparsity, Epochs = 10 };

    /// <summary>A pattern's sparsity is fixed; that of 0 is the time before its schedule.</summary>
    private static PdpOptions InGroups(IPruningMethod method, double sparsity) => new()
    {
        Method = method,
        Strategy = NofM.Keep(2, of: 4),
        Epochs = 10,
        Schedule = sparsity == 0 ? new OneShot { Epoch = 5 } : null,
    };
}
