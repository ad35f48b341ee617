namespace Pdp.Sparse.Trials;

/// <summary>Times several ways of doing the same; <see cref="Clock.Medians"/>, or a test's own.</summary>
/// <param name="seconds">The time that it may take, about.</param>
/// <param name="ways">The ways.</param>
/// <returns>The median time of each way, in milliseconds.</returns>
internal delegate double[] Medians(double seconds, params Action[] ways);
