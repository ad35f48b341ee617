using Pdp.Baselines.Discrimination;
using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines;

/// <summary>DCP, discrimination-aware channel pruning (Zhuang et al., NeurIPS 2018): channels that tell classes apart are kept.</summary>
/// <remarks>
/// <para>
/// When pruning begins, the channels of each group are chosen once, stage by stage (algorithm 1). A stage ends at an additional loss, the
/// cross entropy of a linear classifier after batch norm, rectifier and average pooling of a module's output, or at the final loss. It
/// begins with some steps of fine-tuning by both losses. Then each group starts without channels, and the channel with the largest
/// ‖∂L/∂W_k‖_F is added until there are enough; after each choice the weights of the chosen channels are updated (algorithm 2).
/// Here L = L_M + λ·L_S, W is the weight of a layer that reads the channels, L_M half of the mean squared difference between its
/// output and the dense network's, and L_S the loss of the stage. The mask is static, the gradient g·M. By default this happens at an
/// eighth of the run. The options' allocation decides how many channels of each group are kept. The last fine-tuning is the
/// training that follows.
/// </para>
/// <para>
/// Differences from the paper: where several layers read the same channels, as in residual networks, L_M and the norms are summed over
/// them, and the stage of a group is the first whose loss comes after all of them. A channel enters with its trained weights, as in the
/// authors' code. Channels are chosen with the norms' running statistics: in a layer without channels those of the batch are zero. The
/// classifiers start at zero. The number of channels is given; the paper's other stopping rule, by the change of the loss, is left out.
/// </para>
/// <para>
/// The choice changes the model's weights and buffers in place, also those of layers that aren't pruned, as far as they require gradients;
/// the optimizer's momentum remains what it was. It runs the dense and the pruned network for every step, and holds the dense weights
/// meanwhile. Borrows the model; as deterministic as the passes.
/// </para>
/// </remarks>
public sealed record Dcp : IPruningMethod
{
    private readonly Module _model;
    private readonly Func<int, (Tensor Outputs, Tensor Labels)> _forward;
    private readonly IReadOnlyDictionary<string, Module> _modules;
    private readonly DcpOptions _options;

    /// <summary>Makes the method.</summary>
    /// <param name="model">The model, borrowed. If the choice fails, it is restored bit for bit.</param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="forward">
    /// Calls the model on the batch of a number, counted from 0, and gives its outputs, <c>[batch, classes]</c>, and the labels,
    /// <c>[batch]</c> of type int64. The same number must mean the same batch. Must not set modes: fine-tuning takes those that the model
    /// has at the BeginEpoch with which pruning begins, the choice those of evaluation. Tensors may be left to the current scope.
    /// </param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">The model has no module of a name in <see cref="DcpOptions.Losses"/>.</exception>
    public Dcp(Module model, ChannelMap channels, Func<int, (Tensor Outputs, Tensor Labels)> forward, DcpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(forward);
        _model = model;
        _forward = forward;
        _options = options ?? new();
        _modules = ModelState.ModulesOf(model);
        Channels = channels;
        foreach (var loss in _options.Losses)
            _ = Observable(loss, nameof(options));
    }

    /// <inheritdoc/>
    public string Name => "DCP";

    /// <summary>The channels that belong together; used for options without a map.</summary>
    public ChannelMap Channels { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The schedule removes channels little by little.</exception>
    public PdpOptions Configure(PdpOptions options)
    {
        var configured = Grouped.ConfigureOneShot(options, Name, Channels);
        return configured.Schedule is OneShot or ConstantSparsity
            ? configured
            : throw new ArgumentException(
                $"{Name} chooses all channels at once: leave Schedule unset, or set {nameof(OneShot)} or {nameof(ConstantSparsity)}.",
                nameof(options));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A layer is not a group of <see cref="Channels"/>, nothing reads its channels, or the output of what does can't be observed.
    /// </exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        var groups = Grouped.Of(layers, Name, Channels);
        Grouped.RequireRead(groups, Name, nameof(layers));
        foreach (var slice in groups.SelectMany(group => group.Of(ChannelRole.Input)))
            _ = Observable(ChannelReaders.ModuleOf(slice.Name), nameof(layers));
        return new RankedRun(layers, () => Choose(layers, groups));
    }

    /// <summary>Chooses channels and trains; ranks those that are kept first.</summary>
    private Dictionary<string, IReadOnlyList<double>> Choose(IReadOnlyList<MethodLayer> layers, IReadOnlyList<ChannelGroup> groups)
    {
        var parameters = _model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
        var goals = groups.Zip(layers).ToDictionary(
            pair => pair.First,
            pair => (Readers: new ChannelReaders(pair.First, parameters), Keep: (int)(pair.Second.Mask.Members - pair.Second.Mask.Target)));
        try
        {
            using var _ = enable_grad();
            var names = goals.Values.SelectMany(goal => goal.Readers.Modules).Concat(_options.Losses).Distinct();
            using var network = new NetworkPair(_model, _forward, names.Select(name => (name, Observable(name, nameof(layers)))));
            var kept = new StagedSelection(network, _options).Choose(goals);
            network.Keep();
            return kept.ToDictionary(pair => pair.Key, pair => Ranks(pair.Value), StringComparer.Ordinal);
        }
        finally
        {
            foreach (var (readers, _) in goals.Values)
                readers.Dispose();
        }
    }

    private static IReadOnlyList<double> Ranks(bool[] kept) => [.. kept.Select(isKept => isKept ? 1.0 : 0)];

    private Module<Tensor, Tensor> Observable(string name, string argument) => _modules.GetValueOrDefault(name) switch
    {
        Module<Tensor, Tensor> module => module,
        null => throw new ArgumentException(
            $"The model has no module '{name}'; it has {string.Join(", ", _modules.Keys.Where(known => known.Length > 0))}.", argument),
        _ => throw new ArgumentException($"{Name} uses the output of '{name}', which doesn't map one tensor to one tensor.", argument),
    };
}
