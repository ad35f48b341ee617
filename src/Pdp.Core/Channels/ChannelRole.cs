namespace Pdp;

/// <summary>What part a slice plays for its channels.</summary>
public enum ChannelRole
{
    /// <summary>Filters that make the channels: they are scored and masked.</summary>
    Filter,

    /// <summary>Biases of the filters: masked as they are.</summary>
    Bias,

    /// <summary>Scales and shifts of norms: masked with the channels, so that nothing keeps a removed one alive.</summary>
    Norm,

    /// <summary>What goes with the channels when the model is shrunk and needs no mask: running statistics, gates.</summary>
    Follower,

    /// <summary>The inputs of the layers that read the channels: they go when the model is shrunk.</summary>
    Input,
}
