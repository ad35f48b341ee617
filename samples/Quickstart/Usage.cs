namespace Pdp.Samples.Quickstart;

/// <summary>The text of <c>--help</c>.</summary>
internal static class Usage
{
    public static string Text() => new Help
    {
        Usage = "dotnet run -c Release --project samples/Quickstart --",
        Text = "Trains a small network on digits drawn in code, then prunes it with PDP while it trains on. "
            + "It needs no data and takes about a minute.",
        Examples =
        [
            "dotnet run -c Release --project samples/Quickstart",
            "dotnet run -c Release --project samples/Quickstart -- --strategy 2:4 --seed 1",
        ],
    }.For<Settings>();
}
