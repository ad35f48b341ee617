using Pdp.Channels.Probing.Running;
using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Counting;

/// <summary>Counts multiply-accumulates by watching the calls of layers in a real pass.</summary>
internal static class MacCounter
{
    /// <summary>Counts the pass.</summary>
    /// <exception cref="ArgumentException">
    /// The model has no convolution or linear layer, or one of them runs through <c>forward</c>, or nothing shows whether it does.
    /// </exception>
    public static MacCount Count(Module model, Func<Tensor> forward)
    {
        var layers = ProbedLayer.EachOf(model);
        if (layers.Length == 0)
        {
            throw new ArgumentException(
                $"The model '{model.GetName()}' has no convolution or linear layer: there are no MACs to count.", nameof(model));
        }

        // Gradients show which layers the output depends on.
        using var mode = inference_mode(false);
        using var evaluation = new EvaluationMode(model);
        var attention = new AttentionMacs();
        var positions = PositionsOf(model, layers, attention, forward);
        var names = layers.Select(layer => layer.WeightName).ToArray();
        var seen = names.Where((_, i) => positions[i] > 0).ToHashSet(StringComparer.Ordinal);
        RequireUnused(model, [.. layers.Where((_, i) => !seen.Contains(names[i]))], forward);
        var counted = layers.Select((layer, i) => new LayerMacs
        {
            Name = layer.Name,
            Weight = names[i],
            Shape = layer.Weight.shape,
            Positions = positions[i],
        });
        return new([.. counted, .. attention.Parts]) { Uncounted = UncountedWork.Of(model, layers, forward) };
    }

    private static long[] PositionsOf(Module model, ProbedLayer[] layers, AttentionMacs attention, Func<Tensor> forward)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var positions = new long[layers.Length];
        var removals = new List<Action>();
        try
        {
            foreach (var (i, layer) in layers.Index())
                removals.Add(Watch(layer, count => positions[i] += count));
            foreach (var (name, module) in ModelModules.Of(model).DistinctBy(pair => pair.Module))
            {
                if (module is MultiheadAttention whole)
                    removals.Add(attention.Watch(name, whole));
            }

            forward();
        }
        finally
        {
            foreach (var remove in removals)
                remove();
        }

        return positions;
    }

    /// <summary>Records the positions of each call. Returns an action that removes the hook.</summary>
    private static Action Watch(ProbedLayer layer, Action<long> note)
    {
        var module = (Module<Tensor, Tensor>)layer.Module;
        return module.register_forward_hook((_, input, output) =>
        {
            note(module is ConvolutionTranspose ? input.numel() / layer.Inputs : output.numel() / layer.Outputs);
            return output;
        }).remove;
    }

    /// <summary>Checks that layers that were never called don't affect the output.</summary>
    private static void RequireUnused(Module model, ProbedLayer[] layers, Func<Tensor> forward)
    {
        if (layers.Length == 0)
            return;

        using var output = new OutputDependence(model, forward);
        if (!output.CanTell())
        {
            throw new ArgumentException(
                $"The layer '{layers[0].Name}' is not called, and the model's output has no gradient that would show whether it runs in "
                + "another way: the output is detached, or consists of integers as from argmax. Return the value before that.",
                nameof(model));
        }

        if (layers.FirstOrDefault(layer => output.On(layer.Weight)) is { } layer)
        {
            throw new ArgumentException(
                $"The layer '{layer.Name}' runs, but not through call(), so its MACs can't be counted: in the model's forward, write "
                + $"{layer.Name}.call(x) instead of {layer.Name}.forward(x), or of a function of its weight.",
                nameof(model));
        }
    }
}
