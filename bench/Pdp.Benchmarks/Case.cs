using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Benchmarks;

/// <summary>A network, a batch for it, and a small one to find its channels with.</summary>
internal sealed record Case(string Name, Func<Module<Tensor, Tensor>> Model, long[] Inputs, long Outputs, int Classes, long[] Example)
{
    /// <summary>So small that what is done for each weight shows.</summary>
    public static readonly Case Gpt = new(
        "GPT of 0.8 M", () => new Gpt(), [8, 64, Benchmarks.Gpt.Width], 8 * 64, 65, [1, 4, Benchmarks.Gpt.Width]);

    /// <summary>The same on one text, where its steps are only wanted for their masks.</summary>
    public static readonly Case ShortGpt = Gpt with { Inputs = [1, 64, Benchmarks.Gpt.Width], Outputs = 64 };

    /// <summary>Whether it is among those of a quick run.</summary>
    public bool IsQuick => Name is "ResNet-20" or "Transformer" or "GPT of 0.8 M";
}
