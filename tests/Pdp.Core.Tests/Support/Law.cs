using CsCheck;

namespace Pdp.Tests.Support;

/// <summary>Property tests on the same cases in every run; CsCheck alone repeats only its first case.</summary>
internal static class Law
{
    /// <summary>Checks a law on generated cases; a failing one is handed to CsCheck, which shrinks it and prints its seed.</summary>
    public static void Holds<T>(Gen<T> cases, Action<T> law, int count = 60)
    {
        var random = new PCG(1u, 2023ul);
        for (var i = 0; i < count; i++)
        {
            var seed = random.ToString();
            var value = cases.Generate(random, null!, out _);
            try
            {
                law(value);
            }
            catch (Exception)
            {
                cases.Sample(law, seed: seed, iter: 300, threads: 1);
                throw;
            }
        }
    }
}
