namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>What ranks other than the first show: nothing.</summary>
internal sealed class NoDisplay : IDisplay
{
    public void Line(string text)
    {
    }

    public T Watch<T>(string title, long total, Func<Action<long, Func<string>>, T> work) => work((_, _) => { });
}
