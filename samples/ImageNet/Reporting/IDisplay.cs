namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>What people see of a run while it runs.</summary>
internal interface IDisplay
{
    /// <summary>A line that stays.</summary>
    void Line(string text);

    /// <summary>Shows the progress of work that runs on this thread.</summary>
    /// <param name="title">What it is.</param>
    /// <param name="total">Its steps.</param>
    /// <param name="work">The work, which says after each step how many are done; the text is only made when it is shown.</param>
    T Watch<T>(string title, long total, Func<Action<long, Func<string>>, T> work);
}
