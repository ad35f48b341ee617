using Pdp.Baselines.Internal;
using Pdp.Baselines.Runs;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Baselines;

/// <summary>
/// The gradient score of DCP, discrimination-aware channel pruning (Zhuang et al., NeurIPS 2018), in one shot; <see cref="Dcp"/> is all of
/// DCP.
/// </summary>
/// <remarks>
/// <para>
/// Channel k of a group scores S_k = Σ_j ‖∂L/∂W[j, k]‖_F, over the output filters j of the layers that read it: a channel matters
/// if the loss changes with its weights. The gradient is that of the task's loss, summed over some batches, and is taken once when
/// pruning begins. The mask is static, the gradient g·M. By default channels are removed at an eighth of the run; the options' allocation
/// decides how many of each group.
/// </para>
/// <para>
/// Only this score is taken from DCP, as its authors' code has it. The auxiliary classifiers, the reconstruction loss and the greedy choice
/// of one channel at a time with optimization in between are left out, so results should not be reported as DCP's. Borrows the model; as
/// deterministic as the passes.
/// </para>
/// </remarks>
public sealed record DcpOneShot : IPruningMethod
{
    private readonly Module _model;
    private readonly Action _backward;

    /// <summary>Makes the method.</summary>
    /// <param name="model">
    /// The model, borrowed; after the ranking its weights, gradients, modes and buffers are restored bit for bit.
    /// </param>
    /// <param name="channels">The channels that belong together.</param>
    /// <param name="backward">
    /// Runs forward and backward over some batches, without the pruner's scope and without an optimizer; gradients add up. The model is
    /// in the mode that it has at the BeginEpoch with which pruning begins; modes that the action sets are restored.
    /// </param>
    public DcpOneShot(Module model, ChannelMap channels, Action backward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentNullException.ThrowIfNull(backward);
        _model = model;
        _backward = backward;
        Channels = channels;
    }

    /// <inheritdoc/>
    public string Name => "DCP one-shot";

    /// <summary>The channels that belong together; used for options without a map.</summary>
    public ChannelMap Channels { get; }

    /// <inheritdoc/>
    public PdpOptions Configure(PdpOptions options) => Grouped.ConfigureOneShot(options, Name, Channels);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A layer is not a group of <see cref="Channels"/>, or nothing reads its channels.
    /// </exception>
    public IMethodRun Attach(IReadOnlyList<MethodLayer> layers)
    {
        var groups = Grouped.Of(layers, Name, Channels);
        Grouped.RequireRead(groups, Name, nameof(layers));
        return new RankedRun(layers, () => ScoresOf(groups));
    }

    /// <summary>The score of each channel for the current weights, by the group's name; channels with larger scores are kept.</summary>
    /// <returns>Scores of at least 0, comparable within a group; groups that nothing reads have none.</returns>
    /// <exception cref="InvalidOperationException">
    /// No gradient arrives at a layer that reads the channels, or one is not finite; the model is as before.
    /// </exception>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Scores() =>
        ScoresOf([.. Channels.Groups.Where(group => group.Of(ChannelRole.Input).Any())]);

    private IReadOnlyDictionary<string, IReadOnlyList<double>> ScoresOf(IReadOnlyList<ChannelGroup> groups)
    {
        using var scope = NewDisposeScope();
        using var state = new ModelState(_model);
        using (enable_grad())
            _backward();

        using var _ = no_grad();
        var gradients = _model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad, StringComparer.Ordinal);
        return Grouped.Finite(Name, groups.Select(group => (group.Name, ScoresOf(group, gradients))));
    }

    private double[] ScoresOf(ChannelGroup group, Dictionary<string, Tensor?> gradients)
    {
        var shares = group.Of(ChannelRole.Input).Select(slice => Norms(GradientOf(slice), slice, group.Channels)).ToArray();
        return stack(shares).sum([0]).cpu().data<double>().ToArray();

        Tensor GradientOf(ChannelSlice slice) => gradients[slice.Name]
            ?? throw new InvalidOperationException(
                $"{Name} can't rank the channels of '{group.Name}': no gradient arrived at '{slice.Name}', which reads them. The action "
                + "must run backward() on a loss, and the weight must require a gradient.");
    }

    /// <summary>Σ_j ‖G[j, k]‖_F of each channel k.</summary>
    private static Tensor Norms(Tensor gradient, ChannelSlice slice, long channels)
    {
        var inputsFirst = gradient.to_type(ScalarType.Float64)
            .narrow(slice.Dimension, slice.Offset, slice.Block * channels)
            .movedim([slice.Dimension], [0]);
        // Output filters come next, whichever of the two dimensions holds the inputs.
        var slices = inputsFirst.reshape(channels, slice.Block, inputsFirst.shape[1], -1);
        return slices.mul(slices).sum([1, 3]).sqrt().sum(1);
    }
}
