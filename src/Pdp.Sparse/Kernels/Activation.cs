namespace Pdp.Sparse.Kernels;

/// <summary>The function applied to each output before it is written.</summary>
internal enum Activation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>max(x, 0); NaN stays NaN, as in libtorch.</summary>
    Relu,

    /// <summary>min(max(x, 0), 6).</summary>
    Relu6,

    /// <summary>x·Φ(x), with the error function.</summary>
    Gelu,
}
