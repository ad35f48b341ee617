using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Counting;

/// <summary>Finds layers whose input comes from code that mixes all positions of an image or a sequence, such as attention.</summary>
/// <remarks>
/// In a second pass, all of TorchSharp's modules return their outputs of the first pass, changed at the first position only. If a layer's
/// input then changes at every position, code outside modules mixes all positions before that layer.
/// </remarks>
internal sealed class PositionMixing : IDisposable
{
    /// <summary>With fewer positions, a pooling window may cover a whole image.</summary>
    private const long FewPositions = 16;

    private static readonly Scalar One = 1.ToScalar();

    private readonly Queue<(Tensor? Input, Tensor Output)> _calls = [];
    private readonly SortedSet<string> _mixed = new(StringComparer.Ordinal);
    private readonly Dictionary<Module, ProbedLayer> _layers;
    private bool _isSecond;

    private PositionMixing(IReadOnlyList<ProbedLayer> layers) =>
        _layers = layers.DistinctBy(layer => layer.Module).ToDictionary(layer => layer.Module);

    /// <summary>The names of the layers.</summary>
    public static IReadOnlyCollection<string> Find(Module model, IReadOnlyList<ProbedLayer> layers, Func<Tensor> forward)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var mixing = new PositionMixing(layers);
        Module[] leaves = [.. ModelModules.Of(model).Select(pair => pair.Module).Distinct().Where(IsLeaf)];
        List<Action> removals = [];
        try
        {
            foreach (var leaf in leaves)
                removals.Add(mixing.Watch(leaf));
            forward();
            mixing._isSecond = true;
            forward();
        }
        finally
        {
            foreach (var remove in removals)
                remove();
        }

        return mixing._mixed;
    }

    public void Dispose()
    {
        foreach (var (input, output) in _calls)
        {
            input?.Dispose();
            output.Dispose();
        }

        _calls.Clear();
    }

    private static bool IsLeaf(Module module) =>
        module.GetType().Assembly == typeof(Module).Assembly && !module.children().Any()
        && module is Module<Tensor, Tensor> or TorchSharp.Modules.MultiheadAttention;

    private Action Watch(Module leaf) => leaf is MultiheadAttention attention
        ? attention.register_forward_hook((_, query, _, _, _, _, _, output) =>
            Tuple.Create(Called(leaf, query, output.Item1), output.Item2)).remove
        : ((Module<Tensor, Tensor>)leaf).register_forward_hook((_, input, output) => Called(leaf, input, output)).remove;

    private Tensor Called(Module leaf, Tensor input, Tensor output)
    {
        var layer = _layers.GetValueOrDefault(leaf);
        if (!_isSecond)
        {
            _calls.Enqueue((layer is null ? null : Kept(input), Kept(output)));
            return output;
        }

        if (!_calls.TryDequeue(out var before))
            return output;

        using var was = before.Input;
        using var gave = before.Output;
        if (layer is not null && was!.shape.SequenceEqual(input.shape) && IsMixed(layer, was.ne(input)))
            _mixed.Add(layer.Name);
        return gave.shape.SequenceEqual(output.shape) ? Nudged(gave, isWhole: leaf is TorchSharp.Modules.Linear) : output;
    }

    // In-place modules overwrite their inputs. What is nudged by its first number must lie in the order of its dimensions.
    private static Tensor Kept(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().clone().contiguous().DetachFromDisposeScope();
    }

    /// <summary>
    /// The output with its first number changed (all numbers of the first position for a linear layer), unless it has no positions.
    /// </summary>
    private static Tensor Nudged(Tensor output, bool isWhole)
    {
        if (output.is_floating_point() && output.shape.Skip(1).Count(size => size > 1) > 1)
        {
            var first = output.flatten().narrow(0, 0, isWhole ? output.shape[^1] : 1);
            first.add_(output.abs().max(), One).add_(One, One);
        }

        return output.alias();
    }

    private static bool IsMixed(ProbedLayer layer, Tensor changed)
    {
        if (layer.Module is not TorchSharp.Modules.Linear)
        {
            var image = changed.select(0, 0).any(0, keepdim: false);
            return image.numel() >= FewPositions && All(image);
        }

        // Each line of positions through the first one, since the dimensions may be in any order.
        var positions = changed.any(-1, keepdim: false);
        return Enumerable.Range(0, (int)positions.dim()).Any(line => positions.shape[line] > 1 && All(Line(positions, line)));
    }

    private static Tensor Line(Tensor positions, int along)
    {
        var line = positions.movedim([along], [0]);
        while (line.dim() > 1)
            line = line.select(1, 0);
        return line;
    }

    private static bool All(Tensor values) => values.all().cpu().ReadCpuBool(0);
}
