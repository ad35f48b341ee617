using Pdp.Sparse;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>What one layer of a network has to do in a call. It owns the input.</summary>
/// <param name="Module">The layer's name.</param>
/// <param name="Kind">The class of layers that it belongs to: the shape of its weight.</param>
/// <param name="Input">What it gets in a call of the dense network.</param>
/// <param name="MultiplyAdds">One for each nonzero and each position of the output.</param>
/// <param name="Bytes">Its nonzeros, six bytes each, its input and its output.</param>
internal sealed record PackedWork(string Module, string Kind, Tensor Input, double MultiplyAdds, double Bytes) : IDisposable
{
    private const int BytesOfNonzero = sizeof(float) + sizeof(ushort);

    public void Dispose() => Input.Dispose();

    /// <summary>The work of the packed layers of a model, in their order.</summary>
    /// <param name="plain">The same model, not packed.</param>
    /// <param name="input">What it is called on.</param>
    /// <param name="report">Which layers are packed.</param>
    public static List<PackedWork> Of(Module<Tensor, Tensor> plain, Tensor input, SparseReport report)
    {
        List<PackedWork> work = [];
        var modules = ModulesOf(plain);
        Action[] removals =
        [
            .. report.Layers.Where(layer => layer.Form == LayerForm.Packed).Select(layer => (Action)modules[NameOf(layer)]
                .register_forward_hook((_, given, output) => Note(layer, given, output)).remove),
        ];
        using (NewDisposeScope())
            plain.call(input);
        foreach (var remove in removals)
            remove();
        return work;

        Tensor Note(SparseLayerReport layer, Tensor given, Tensor output)
        {
            var nonzeros = layer.Elements - layer.Zeros;
            work.Add(new(
                NameOf(layer),
                $"[{string.Join(", ", layer.Shape)}]",
                given.clone().DetachFromDisposeScope(),
                (double)nonzeros * output.numel() / layer.Shape[0],
                ((double)nonzeros * BytesOfNonzero) + (sizeof(float) * (given.numel() + output.numel()))));
            return output;
        }
    }

    /// <summary>The modules of a model by name.</summary>
    public static Dictionary<string, Module<Tensor, Tensor>> ModulesOf(Module model) =>
        model.named_modules().Where(pair => pair.module is Module<Tensor, Tensor>)
            .ToDictionary(pair => pair.name, pair => (Module<Tensor, Tensor>)pair.module, StringComparer.Ordinal);

    private static string NameOf(SparseLayerReport layer) => layer.Name[..^".weight".Length];
}
