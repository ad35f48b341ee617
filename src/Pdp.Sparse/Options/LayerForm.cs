namespace Pdp.Sparse;

/// <summary>How a layer computes.</summary>
public enum LayerForm
{
    /// <summary>As its own code does.</summary>
    Dense,

    /// <summary>By libtorch, with a batch norm or an activation folded into it.</summary>
    Folded,

    /// <summary>By libtorch, with the channels of its weight last in memory, and what is folded into it.</summary>
    ChannelsLast,

    /// <summary>On its nonzeros, with what is folded into it.</summary>
    Packed,
}
