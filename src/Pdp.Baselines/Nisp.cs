using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines;

/// <summary>NISP, neuron importance score propagation (Yu et al., CVPR 2018): channels that the final response depends on least are removed at once.</summary>
/// <remarks>
/// <para>
/// Importances of the final response s are carried back through the network by s_{l−1} = |W_l|ᵀ·s_l, with biases left out, norms and rectifiers
/// as the identity, pooling by its adjoint and branches added up. They are taken once, when pruning begins: one pass forward and one
/// backward. A channel scores its importance over all positions, and over all layers that make it. The mask is static, the gradient g·M. By
/// default channels are removed at an eighth of the run; how many of each group is the options' allocation.
/// </para>
/// <para>
/// Two differences from the paper. Its scores of the final response (Inf-FS on activations) are replaced by what ones behind the classifier give,
/// the column sums of the classifier's |W|; set <see cref="OutputScores"/> and let the model's call end at the final response to bring scores of
/// your own. And each layer's |W| is divided by its mean sum over the inputs, as products of many layers overflow. In a chain of layers that
/// changes no order; where branches are added up, each weighs as if a norm had evened out its scale.
/// </para>
/// <para>
/// Works on inputs that are positive and small, where smooth activations (SiLU, GELU, tanh) are close to linear and ReLU6 is the identity;
/// gates and softmax are no part of the method and are taken as they are there. Borrows the model; the same in every run.
/// </para>
/// </remarks>
public sealed record Nisp : IPruningMethod
{
    /// <summary>The size of inputs: so small that no activation saturates.</summary>
    private const double Small = 1.0 / (1 << 20);

    private readonly Module _model;
    private readonly Func<Tensor> _forward;

    /// <summary>Makes the method for a model that takes one tensor.</summary>
    /// <param name="model">The model, borrowed; its weights, gradients, modes and buffers are as before after the ranking, bit for bit.</param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="example">An input as the model takes it, of which only shape, type and device are used.</param>
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

    /// <summary>Makes the method for a model that is called in a way of its own.</summary>
    /// <param name="model">The model, borrowed; its weights, gradients, modes and buffers are as before after the ranking, bit for bit.</param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="forward">Calls the model with an input of small positive numbers and gives its output, <c>[batch, outputs, …]</c>.</param>
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

    /// <summary>The channels that belong together, which options without a map get.</summary>
    public ChannelMap Channels { get; }

    /// <summary>The importance of each output of the model, along dimension 1 of <c>[batch, outputs, …]</c>.</summary>
    /// <value>At least 0 each; null, the default, for ones.</value>
    /// <exception cref="ArgumentOutOfRangeException">A score is negative or not finite.</exception>
    public IReadOnlyList<double>? OutputScores { get; init => field = value is null ? null : [.. value.Select(score => Ask.NotNegative(score, nameof(OutputScores)))]; }

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options) => Grouped.ConfigureOneShot(options, Name, Channels);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A layer is not a group of <see cref="Channels"/>.</exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        Grouped.Of(layers, Name, Channels);
        return new RankedRun(layers, Scores);
    }

    /// <summary>The importance of each channel at the weights of now, by the group's name; larger ones stay.</summary>
    /// <returns>At least 0 each; comparable within a group. Linear in <see cref="OutputScores"/>.</returns>
    /// <exception cref="InvalidOperationException">
    /// A layer runs by <c>forward</c> instead of <c>call</c>, there are more or fewer <see cref="OutputScores"/> than outputs, or a weight is
    /// not finite; the model is as before.
    /// </exception>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Scores()
    {
        using var scope = NewDisposeScope();
        using var twin = new LinearTwin(_model);
        return Grouped.Finite(Name, twin.Importances(Channels.Groups, _forward, Final));
    }

    /// <summary>The scores of an output, which broadcast to it.</summary>
    private Tensor Final(Tensor response)
    {
        if (OutputScores is null)
            return ones_like(response).detach();

        var outputs = response.dim() > 1 ? response.shape[1] : -1;
        if (outputs != OutputScores.Count)
            throw new InvalidOperationException($"There are {OutputScores.Count} scores for the model's output of the shape [{string.Join(", ", response.shape)}]: set OutputScores to one for each entry of its dimension 1.");

        double[] scores = [.. OutputScores];
        return tensor(scores, dtype: response.dtype, device: response.device).reshape([outputs, .. Enumerable.Repeat(1L, (int)response.dim() - 2)]);
    }
}
