using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines;

/// <summary>
/// NISP, neuron importance score propagation (Yu et al., CVPR 2018): removes the channels on which the final response depends least, all at
/// once.
/// </summary>
/// <remarks>
/// <para>
/// Importances of the final response s are propagated back through the network by s_{l−1} = |W_l|ᵀ·s_l, with biases left out, norms and
/// rectifiers as the identity, pooling by its adjoint and branches added up. They are computed once, when pruning begins, with one forward
/// and one backward pass. The score of a channel is its importance over all positions and over all layers that produce it. The mask is
/// static, the gradient g·M. By default channels are removed at an eighth of the run; the options' allocation decides how many of each
/// group.
/// </para>
/// <para>
/// There are two differences from the paper. Its scores of the final response (Inf-FS on activations) are replaced by ones after the
/// classifier, which gives the column sums of the classifier's |W|; to use your own scores, set <see cref="OutputScores"/> and let the
/// model's call end at the final response. And each layer's |W| is divided by its mean sum over the inputs, as products of many layers
/// overflow. In a chain of layers this doesn't change the order; where branches are added up, each counts as if a norm had equalized its
/// scale.
/// </para>
/// <para>
/// Runs on inputs that are positive and small, so that smooth activations (SiLU, GELU, tanh) are nearly linear and ReLU6 is the identity;
/// gates and softmax are not part of the method and are used as they are. Borrows the model; deterministic.
/// </para>
/// </remarks>
public sealed record Nisp : IPruningMethod
{
    /// <summary>The size of inputs, so small that no activation saturates.</summary>
    private const double Small = 1.0 / (1 << 20);

    private readonly Module _model;
    private readonly Func<Tensor> _forward;

    /// <summary>Makes the method for a model that takes one tensor.</summary>
    /// <param name="model">
    /// The model, borrowed; after the ranking its weights, gradients, modes and buffers are restored bit for bit.
    /// </param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="example">An example input, of which only shape, type and device are used.</param>
    public Nisp(Module<Tensor, Tensor> model, ChannelMap channels, Tensor example)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(example);
        var (shape, type, device) = (example.shape, example.dtype, example.device);
        _model = model;
        _forward = () =>
        {
            using Scalar small = Small.ToScalar();
            return model.call(full(shape, small, type, device));
        };
        Channels = channels;
    }

    /// <summary>Makes the method for a model that is called in another way.</summary>
    /// <param name="model">
    /// The model, borrowed; after the ranking its weights, gradients, modes and buffers are restored bit for bit.
    /// </param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="forward">
    /// Calls the model with an input of small positive numbers and gives its output, <c>[batch, outputs, …]</c>.
    /// </param>
    public Nisp(Module model, ChannelMap channels, Func<Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(forward);
        _model = model;
        _forward = forward;
        Channels = channels;
    }

    /// <inheritdoc/>
    public string Name => "NISP";

    /// <summary>The channels that belong together; used for options without a map.</summary>
    public ChannelMap Channels { get; }

    /// <summary>The importance of each output of the model, along dimension 1 of <c>[batch, outputs, …]</c>.</summary>
    /// <value>Scores of at least 0; the default, null, means ones.</value>
    /// <exception cref="ArgumentOutOfRangeException">A score is negative or not finite.</exception>
    public IReadOnlyList<double>? OutputScores
    {
        get;
        init => field = value is null ? null : [.. value.Select(score => Ask.NotNegative(score, nameof(OutputScores)))];
    }

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options) => Grouped.ConfigureOneShot(options, Name, Channels);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A layer is not a group of <see cref="Channels"/>.</exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        var groups = Grouped.Of(layers, Name, Channels);
        return new RankedRun(layers, () => ScoresOf(groups));
    }

    /// <summary>
    /// The importance of each channel for the current weights, by the group's name; channels with larger values are kept.
    /// </summary>
    /// <returns>Values of at least 0, comparable within a group. Linear in <see cref="OutputScores"/>.</returns>
    /// <exception cref="InvalidOperationException">
    /// A layer runs by <c>forward</c> instead of <c>call</c>, the number of <see cref="OutputScores"/> differs from that of the outputs, a
    /// weight is not finite, or a parameter is float16 or bfloat16; the model is as before.
    /// </exception>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Scores() => ScoresOf(Channels.Groups);

    private IReadOnlyDictionary<string, IReadOnlyList<double>> ScoresOf(IReadOnlyList<ChannelGroup> groups)
    {
        RequirePrecise();
        using var scope = NewDisposeScope();
        using var twin = new LinearTwin(_model);
        return Grouped.Finite(Name, twin.Importances(groups, _forward, Final));
    }

    /// <summary>Checks that the weights can carry the small responses, most of which would be 0 or equal in 8 or 11 bits.</summary>
    private void RequirePrecise()
    {
        foreach (var (name, parameter) in _model.named_parameters())
        {
            if (parameter.dtype is ScalarType.Float16 or ScalarType.BFloat16)
                throw new InvalidOperationException(
                    $"{Name} can't rank channels in {parameter.dtype}, the type of '{name}', in which too many would be equal: "
                    + "begin pruning in float32 and convert the model afterwards.");
        }
    }

    /// <summary>The scores of an output, in a shape that broadcasts to it.</summary>
    private Tensor Final(Tensor response)
    {
        if (OutputScores is null)
            return ones_like(response).detach();

        var outputs = response.dim() > 1 ? response.shape[1] : -1;
        if (outputs != OutputScores.Count)
            throw new InvalidOperationException(
                $"There are {OutputScores.Count} scores for the model's output of shape [{string.Join(", ", response.shape)}]: "
                + "OutputScores must have one for each entry of dimension 1.");

        double[] scores = [.. OutputScores];
        return tensor(scores, dtype: response.dtype, device: response.device)
            .reshape([outputs, .. Enumerable.Repeat(1L, (int)response.dim() - 2)]);
    }
}
