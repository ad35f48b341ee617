namespace Pdp.Sparse.Trials;

/// <summary>Times several ways of doing the same thing; <see cref="Clock.Medians"/>, or a test's own.</summary>
/// <param name="seconds">About how long it may take.</param>
/// <param name="ways">The ways.</param>
/// <returns>The median time of each way, in milliseconds.</returns>
internal delegate double[] Medians(double seconds, params Action[] ways);
