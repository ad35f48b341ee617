using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels;

/// <summary>Two linear layers between an embedding and a head with the embedding's weight.</summary>
internal sealed class TiedNet : Module<Tensor, Tensor>
{
    private readonly Embedding embedding = Embedding(7, 6);
    private readonly Linear wide = Linear(6, 10);
    private readonly Linear narrow = Linear(10, 6);
    private readonly Linear head = Linear(6, 7, hasBias: false);

    public TiedNet()
        : base(nameof(TiedNet))
    {
        head.weight = embedding.weight!;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = functional.relu(wide.call(embedding.call(input)));
        return head.call(narrow.call(hidden)).MoveToOuterDisposeScope();
    }
}
