namespace Pdp.Samples.Drawing;

/// <summary>A number on an axis, and the text beside it.</summary>
internal readonly record struct Tick(double At, string Text);
