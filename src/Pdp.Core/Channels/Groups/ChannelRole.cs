namespace Pdp;

/// <summary>The role of a slice for its channels.</summary>
public enum ChannelRole
{
    /// <summary>Filters that produce the channels; they are scored and masked.</summary>
    Filter,

    /// <summary>Biases of the filters; they are masked with the filters.</summary>
    Bias,

    /// <summary>Scales and shifts of norms; they are masked with the channels, so that the output of a removed channel is zero.</summary>
    Norm,

    /// <summary>Running statistics and gates of the channels; they need no mask and are cut when the model is shrunk.</summary>
    Follower,

    /// <summary>Inputs of the layers that read the channels; they are cut when the model is shrunk.</summary>
    Input,
}
