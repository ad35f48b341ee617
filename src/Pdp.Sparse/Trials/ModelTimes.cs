namespace Pdp.Sparse.Trials;

/// <summary>The times of a whole model on the example, in milliseconds.</summary>
/// <param name="Plain">As it is.</param>
/// <param name="Folded">All layers dense, with everything folded that can be, in the better layout.</param>
/// <param name="Settled">Each layer in the form that was chosen.</param>
internal sealed record ModelTimes(double Plain, double Folded, double Settled);
