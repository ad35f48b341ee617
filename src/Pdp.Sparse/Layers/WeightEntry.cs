using Pdp.Layers;
using Pdp.Sparse.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Layers;

/// <summary>A weight of a model, and what stands in the way of packing it.</summary>
/// <param name="Info">The weight as matches see it.</param>
/// <param name="Parameter">The weight.</param>
/// <param name="Layer">The layer that computes with it; null if hooks can't replace its computation.</param>
/// <param name="Obstacle">Why it can't be packed; null if it can.</param>
internal sealed record WeightEntry(LayerInfo Info, Parameter Parameter, Layer? Layer, string? Obstacle)
{
    /// <summary>The number of its elements that were zero when this was made.</summary>
    public long Zeros { get; } = CountZeros(Parameter);

    /// <summary>The memory of its elements.</summary>
    public long Bytes { get; } = Parameter.numel() * Parameter.ElementSize;

    /// <summary>The weights of a model, each once, in the order of its parameters.</summary>
    public static IReadOnlyList<WeightEntry> Of(Module model)
    {
        RequireUnpacked(model);
        var weights = LayerScan.Find(model);
        var layers = weights.Where(weight => weight.IsLayer).ToList();
        var last = weights.Where(weight => weight.IsLayer || weight.IsUsedByLayer).MaxBy(weight => weight.Names[^1].Place);
        return [.. weights.Select(weight => Entry(weight, layers.IndexOf(weight), weight == last))];
    }

    /// <summary>The entry with the zeros that the weight has now.</summary>
    public WeightEntry Recounted() => new(Info, Parameter, Layer, Obstacle);

    private static void RequireUnpacked(Module model)
    {
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (parameter.is_sparse)
            {
                throw new InvalidOperationException(
                    $"'{name}' is packed already, or a sparse tensor: dispose the SparseModel that packed it first.");
            }
        }
    }

    private static WeightEntry Entry(TiedWeight weight, int index, bool isLast)
    {
        var (name, module) = (weight.First, weight.First.Info.Module);
        var info = name.Info with { Index = index, IsLast = isLast };
        if (weight.Names.FirstOrDefault(other => other.Info.Module != module) is { } tied)
            return new(info, name.Parameter, null, $"tied to '{tied.Info.Name}', which needs it dense");
        if (!Layer.IsOne(module))
            return new(info, name.Parameter, null, ReasonOf(module, name.Role));
        var layer = new Layer(info.ModuleName, (Module<Tensor, Tensor>)module);
        return layer.Obstacle is { } obstacle
            ? new(info, name.Parameter, null, obstacle)
            : new(info, name.Parameter, layer, SparseProduct.Obstacle(layer.Weight, layer.Groups));
    }

    private static string ReasonOf(Module module, WeightRole role) => role switch
    {
        WeightRole.Embedding => "an embedding looks rows up and multiplies nothing",
        WeightRole.Norm => "a norm's weight is not a matrix",
        WeightRole.Other => $"the code of {module.GetType().Name} computes with it, where no hook reaches it",
        _ when module is Convolution or TorchSharp.Modules.Bilinear =>
            $"{module.GetType().Name}: only Linear, Conv1d and Conv2d are packed",
        _ => $"{module.GetType().Name} computes with it in native code, where no hook reaches it",
    };

    private static long CountZeros(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return weight.numel() - weight.count_nonzero().cpu().ReadCpuInt64(0);
    }
}
