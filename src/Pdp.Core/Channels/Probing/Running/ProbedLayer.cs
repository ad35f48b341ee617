using Pdp.Internal;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Probing.Running;

/// <summary>A convolution or linear layer, and which of its weights produce an output channel or read an input channel.</summary>
internal sealed class ProbedLayer
{
    private readonly bool _isTransposed;

    private ProbedLayer(string name, Module module, Parameter weight, Parameter? bias, long connectionGroups, bool isTransposed)
    {
        Name = name;
        WeightName = Dotted(name, "weight");
        BiasName = Dotted(name, "bias");
        Module = module;
        Weight = weight;
        Bias = bias;
        ConnectionGroups = connectionGroups;
        _isTransposed = isTransposed;
        var (first, second) = (weight.shape[0], weight.shape[1]);
        (Outputs, Inputs) = isTransposed ? (second * connectionGroups, first) : (first, second * connectionGroups);
    }

    /// <summary>The module's name.</summary>
    public string Name { get; }

    public Module Module { get; }

    public Parameter Weight { get; }

    public Parameter? Bias { get; }

    /// <summary>The number of groups of a grouped convolution; above 1 if an output reads only some of the inputs.</summary>
    public long ConnectionGroups { get; }

    public long Outputs { get; }

    public long Inputs { get; }

    /// <summary>A name of the weight among the model's parameters.</summary>
    public string WeightName { get; private set; }

    /// <summary>A name of the bias among the model's parameters; the first one if layers share it.</summary>
    public string BiasName { get; private set; }

    /// <summary>The dimension along which whole output channels, or whole groups of them, can be cut.</summary>
    public int OutputDimension => _isTransposed && ConnectionGroups == 1 ? 1 : 0;

    /// <summary>The dimension along which input channels can be cut, for a layer with one connection group.</summary>
    public int InputDimension => _isTransposed ? 0 : 1;

    public static string Dotted(string module, string parameter) => module.Length == 0 ? parameter : $"{module}.{parameter}";

    /// <summary>The layers of a model; layers that share a weight count once.</summary>
    public static ProbedLayer[] AllOf(Module model) => [.. EachOf(model).DistinctBy(layer => TensorAddress.Of(layer.Weight))];

    /// <summary>The layers of a model, each module once; those that share a weight have the first one's name for it.</summary>
    public static ProbedLayer[] EachOf(Module model)
    {
        ProbedLayer[] layers =
        [
            .. ModelModules.Of(model).DistinctBy(pair => pair.Module).Select(pair => Of(pair.Name, pair.Module)).OfType<ProbedLayer>(),
        ];
        var names = model.named_parameters().ToLookup(pair => TensorAddress.OfNative(pair.parameter), pair => pair.name);
        foreach (var layer in layers)
        {
            layer.WeightName = NameOf(layer.Weight, layer.WeightName);
            layer.BiasName = layer.Bias is null ? layer.BiasName : NameOf(layer.Bias, layer.BiasName);
        }

        // Also of ties that share memory alone; a transposed view is another matrix.
        foreach (var tied in layers.Where(layer => layer.Weight.numel() > 0).GroupBy(layer => (
            TensorAddress.Of(layer.Weight), string.Join(' ', layer.Weight.shape), string.Join(' ', layer.Weight.stride()))))
        {
            foreach (var layer in tied)
                layer.WeightName = tied.First().WeightName;
        }

        return layers;

        string NameOf(Parameter parameter, string own)
        {
            var all = names[TensorAddress.OfNative(parameter)];
            return all.Contains(own) ? own : all.FirstOrDefault(own);
        }
    }

    /// <summary>The layer of a module; null if it is neither a convolution nor linear.</summary>
    public static ProbedLayer? Of(string name, Module module) => module switch
    {
        ConvolutionTranspose transposed => new(name, module, transposed.weight, transposed.bias, transposed.groups, isTransposed: true),
        Convolution convolution => new(name, module, convolution.weight, convolution.bias, convolution.groups, isTransposed: false),
        Linear linear => new(name, module, linear.weight, linear.bias, 1, isTransposed: false),
        _ => null,
    };

    /// <summary>The largest magnitude in a tensor of the weight's shape, for each output channel.</summary>
    public Tensor LargestByOutput(Tensor values) => Largest(values, over: _isTransposed ? 1 : 2);

    /// <summary>The largest magnitude in a tensor of the weight's shape, for each input channel.</summary>
    public Tensor LargestByInput(Tensor values) => Largest(values, over: _isTransposed ? 2 : 1);

    /// <summary>One value per output channel, in a shape that broadcasts over <see cref="Blocks"/>.</summary>
    public Tensor OverOutputs(Tensor values) =>
        _isTransposed ? values.reshape(ConnectionGroups, 1, -1, 1) : values.reshape(ConnectionGroups, -1, 1, 1);

    /// <summary>The weight as <c>[groups, first dimension in a group, second dimension, kernel]</c>; a view.</summary>
    public Tensor Blocks(Tensor values) => values.reshape(ConnectionGroups, values.shape[0] / ConnectionGroups, values.shape[1], -1);

    private Tensor Largest(Tensor values, int over) => Blocks(values).abs().amax([over, 3]).reshape(-1);
}
