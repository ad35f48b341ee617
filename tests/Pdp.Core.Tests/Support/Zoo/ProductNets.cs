using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Support;

/// <summary>Networks in which channels are multiplied, or pass activations that don't leave zero alone.</summary>
internal static class ProductNets
{
    private const string Constant = "zero|constant|silen|changes";

    public static IReadOnlyList<ZooCase> Cases { get; } =
    [
        new("SwiGlu", SwiGlu, 12) { Groups = ["gate up"], Unsupported = ["down: model"] },
        new("Product", Product, 12) { Groups = ["a b"], Unsupported = ["fc: model"] },
        new("Glu", Glu, 12) { Groups = ["a (b)"], Unsupported = ["fc: model"] },
        new("Softplus", () =>
            Behind(x => functional.softplus(x)), 12) { Groups = ["inner"], Unsupported = [$"outer: {Constant}", "fc: model"] },
        new("Exponential", () => Behind(x => x.neg().exp()), 12) { Groups = ["inner"], Unsupported = [$"outer: {Constant}", "fc: model"] },
        new("HardSigmoid", () =>
            Behind(x => functional.hardsigmoid(x)), 12) { Groups = ["inner"], Unsupported = [$"outer: {Constant}", "fc: model"] },
        new("Tanh", () => Behind(x => x.tanh()), 12) { Groups = ["inner", "outer"], Unsupported = ["fc: model"] },
        new("ValueHead", ValueHead, 12) { Groups = ["inner"], Either = ["outer"], Unsupported = ["value: only"] },
    ];

    private static Net SwiGlu()
    {
        var (gate, up, down) = (Linear(12, 16), Linear(12, 16), Linear(16, 5));
        return new(new { gate, up, down }, x => down.call(functional.silu(gate.call(x)).mul(up.call(x))));
    }

    private static Net Product()
    {
        var (a, b, fc) = (Linear(12, 10), Linear(12, 10), Linear(10, 5));
        return new(new { a, b, fc }, x => fc.call(a.call(x).mul(b.call(x))));
    }

    private static Net Glu()
    {
        var (a, b, fc) = (Linear(12, 10), Linear(12, 10), Linear(10, 5));
        return new(new { a, b, fc }, x => fc.call(a.call(x).mul(b.call(x).sigmoid())));
    }

    private static Net Behind(Func<Tensor, Tensor> activation)
    {
        var (inner, outer, fc) = (Linear(12, 16), Linear(16, 10), Linear(10, 5));
        return new(new { inner, outer, fc }, x => fc.call(activation(outer.call(functional.relu(inner.call(x))))));
    }

    /// <summary>A head beside a product with a bare matrix, which would have to lose rows with the channels.</summary>
    private static Net ValueHead()
    {
        var (inner, outer, value, policy) = (Linear(12, 16), Linear(16, 10), Linear(10, 1), new Learned(10, 4));
        return new(new { inner, outer, value, policy }, x =>
        {
            x = functional.relu(outer.call(functional.relu(inner.call(x))));
            return cat([x.matmul(policy.value), value.call(x)], 1);
        });
    }
}
