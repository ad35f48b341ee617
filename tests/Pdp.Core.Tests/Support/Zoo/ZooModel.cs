using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>A network of the zoo.</summary>
/// <param name="Name">What theories call it.</param>
/// <param name="Build">Makes the network as its constructor leaves it.</param>
/// <param name="Input">The shape of an input without the batch.</param>
/// <param name="Mixed">The weights whose output channels can't be removed, as something in between mixes them.</param>
internal sealed record ZooModel(string Name, Func<Module<Tensor, Tensor>> Build, long[] Input, params string[] Mixed)
{
    /// <summary>
    /// Makes the network in evaluation mode, with all its numbers drawn from a seed: scales, shifts and statistics of
    /// batch-norms as if trained, so that no two channels are alike. Call it outside of dispose scopes.
    /// </summary>
    public Module<Tensor, Tensor> Make(int seed = 0, ScalarType type = ScalarType.Float32)
    {
        manual_seed(seed);
        var model = Build();
        foreach (var norm in model.modules().OfType<TorchSharp.Modules.NormBase>())
        {
            norm.num_batches_tracked = null;
        }

        foreach (var (name, tensor) in model.state_dict())
        {
            Draw(name[(name.LastIndexOf('.') + 1)..], tensor);
        }

        model.eval();
        return model.to(type);
    }

    /// <summary>Normal numbers in the shape of a batch of inputs.</summary>
    public Tensor Batch(int seed = 1, int size = 4, ScalarType type = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        return randn([size, .. Input], generator: generator).to_type(type).MoveToOuterDisposeScope();
    }

    public override string ToString() => Name;

    private static void Draw(string kind, Tensor tensor)
    {
        switch (kind)
        {
            case "weight" when tensor.dim() > 1:
                init.normal_(tensor, 0, Math.Sqrt(2.0 * tensor.size(0) / tensor.numel()));
                break;
            case "weight":
                init.uniform_(tensor, 0.5, 1.5);
                break;
            case "running_var":
                init.uniform_(tensor, 0.5, 2);
                break;
            default:
                init.normal_(tensor, 0, 0.2);
                break;
        }
    }
}
