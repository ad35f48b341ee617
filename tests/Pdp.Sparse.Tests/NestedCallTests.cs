using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>A packed model whose code calls another, such as a teacher, that is none of its modules.</summary>
public sealed class NestedCallTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();
    private readonly Host _host;
    private readonly Module<Tensor, Tensor> _guest;
    private readonly Tensor _input = randn(3, 12);

    public NestedCallTests()
    {
        _host = Pruned.Prune(new Host(), 0.5);
        _guest = Pruned.Prune(Sequential(Linear(12, 8), GELU(), Linear(8, 2)), 0.5);
    }

    public void Dispose()
    {
        _host.Dispose();
        _guest.Dispose();
        _noGrad.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Call_WithACallOfAnotherBetweenALayerAndItsActivation_AppliesItOnce()
    {
        var expected = _host.call(_input);
        using var packed = SparseModel.Pack(_host, _input, Pruned.Everything);
        using var guest = SparseModel.Pack(_guest, _input, Pruned.Everything);
        Assert.Equal(["act"], packed.Report.Layers[0].Folded);
        _host.Between = () => _guest.call(_input);

        Assert.True(Pruned.IsClose(_host.call(_input), expected));
    }

    [Fact]
    public void Call_WithACallOfAnother_IsStillCheckedAfterIt()
    {
        using var packed = SparseModel.Pack(_host, _input, Pruned.Everything);
        using var guest = SparseModel.Pack(_guest, _input, Pruned.Everything);
        _host.Between = () => _guest.call(_input);
        _host.IsCut = true;

        var error = Assert.Throws<InvalidOperationException>(() => _host.call(_input));

        Assert.Contains("'act' is folded into a layer, but did not get that layer's output", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_AfterOneThatEndedInAnError_IsAsBefore()
    {
        var (expected, expectedOfGuest) = (_host.call(_input), _guest.call(_input));
        using var packed = SparseModel.Pack(_host, _input, Pruned.Everything);
        using var guest = SparseModel.Pack(_guest, _input, Pruned.Everything);
        _host.Between = () => throw new FormatException();

        Assert.Throws<FormatException>(() => _host.call(_input));

        _host.Between = () => _guest.call(_input);
        Assert.True(Pruned.IsClose(_guest.call(_input), expectedOfGuest));
        Assert.True(Pruned.IsClose(_host.call(_input), expected));
        Assert.True(Pruned.IsClose(_guest.call(_input), expectedOfGuest));
    }

    private sealed class Host : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear linear = Linear(12, 8);
        private readonly TorchSharp.Modules.GELU act = GELU();

        public Host()
            : base(nameof(Host)) => RegisterComponents();

        /// <summary>Runs between the layer and its activation.</summary>
        public Action? Between { get; set; }

        /// <summary>Whether the activation gets another tensor.</summary>
        public bool IsCut { get; set; }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var features = linear.call(input);
            Between?.Invoke();
            return act.call(IsCut ? features.clone() : features).MoveToOuterDisposeScope();
        }
    }
}
