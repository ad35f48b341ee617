using Pdp.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Sparse.Tests;

/// <summary>Models that call their modules otherwise than a fold or a plan has it, and models that change while they are packed.</summary>
public sealed class ChangedModelTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGrad = no_grad();

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("4", null, "'4' is folded into a layer, but did not get that layer's output")]
    [InlineData("1", "5", "'5' is folded into a layer, but did not get that layer's output")]
    public void Call_WhenAPlanNamesAModuleThatIsCalledElsewhere_IsRefused(string norm, string? activation, string expected)
    {
        using var model = Pruned.Prune(
            Sequential(Conv2d(3, 8, 3), BatchNorm2d(8), ReLU(), Conv2d(8, 8, 1), BatchNorm2d(8), ReLU(), Conv2d(8, 8, 1)), 0.5);
        var (picture, before) = (Nets.Picture(), Pruned.Bits(model));
        var plan = new SparsePlan(
        [
            new() { Name = "0.weight", Shape = [8, 3, 3, 3], Form = LayerForm.Packed, Norm = norm, Activation = activation },
            new() { Name = "3.weight", Shape = [8, 8, 1, 1], Form = LayerForm.Packed },
        ]);
        var packed = SparseModel.Pack(model, plan);

        for (var call = 0; call < 2; call++)
            Assert.Contains(
                expected, Assert.Throws<InvalidOperationException>(() => model.call(picture)).Message, StringComparison.Ordinal);

        packed.Dispose();
        Assert.Equal(before, Pruned.Bits(model));
        Assert.NotNull(model.call(picture));
    }

    [Fact]
    public void Call_WhenTheModelTakesAnotherPathThanOnTheExample_IsRefused()
    {
        using var model = Pruned.Prune(new Forked(), 0.5);
        var (many, few) = (randn(8, 12), randn(2, 12));
        var expected = model.call(many);
        using var packed = SparseModel.Pack(model, many, Pruned.Everything);

        var fault = Assert.Throws<InvalidOperationException>(() => model.call(few));

        Assert.Equal(["relu"], Assert.Single(packed.Report.Layers).Folded);
        Assert.Contains(
            "another order for this input; pack it on an example, with SparseOptions { Fold = false }",
            fault.Message,
            StringComparison.Ordinal);
        Assert.True(Pruned.IsClose(model.call(many), expected));
    }

    [Theory]
    [InlineData("eps", "A setting of '1' changed since it was folded")]
    [InlineData("stride", "A setting of the packed layer '0' changed")]
    [InlineData("padding", "A setting of the packed layer '0' changed")]
    [InlineData("mode", "A setting of the packed layer '0' changed")]
    [InlineData("approximate", "A setting of '2' changed since it was folded")]
    [InlineData("valid", "A setting of the packed layer '0' changed")]
    public void Call_WhenASettingChanges_IsRefusedUntilItIsBack(string setting, string expected)
    {
        var convolution = setting == "valid" ? Conv2d(3, 8, 3, padding: Padding.Same) : Conv2d(3, 8, 3, padding: 1);
        var (norm, activation) = (BatchNorm2d(8), GELU());
        using var model = Pruned.Prune(Sequential(convolution, norm, activation), 0.5);
        var picture = Nets.Picture();
        var dense = model.call(picture);
        using var packed = SparseModel.Pack(model, picture, Pruned.Everything);

        Set(true);
        var fault = Assert.Throws<InvalidOperationException>(() => model.call(picture));
        Set(false);

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.True(Pruned.IsClose(model.call(picture), dense));

        void Set(bool isChanged)
        {
            switch (setting)
            {
                case "eps": norm.eps = isChanged ? 0.5 : 1e-5; break;
                case "stride": convolution.stride = isChanged ? [2, 2] : [1, 1]; break;
                case "padding": convolution.padding![1] = isChanged ? 0 : 1; break;
                case "valid": convolution.SetPadding(isChanged ? Padding.Valid : Padding.Same); break;
                case "mode": convolution.padding_mode = isChanged ? PaddingModes.Reflect : PaddingModes.Zeros; break;
                default:
                    activation.approximate = isChanged
                    ? TorchSharp.Modules.GELU.Approximate.tanh : TorchSharp.Modules.GELU.Approximate.none; break;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unpack_WhenAWeightWasChangedInPlace_SaysWhichAndGivesTheOldOne(bool isHeld)
    {
        using var model = Nets.Convolutions();
        var (held, before) = (((Conv2d)model[3]).weight, Pruned.Bits(model));
        var packed = SparseModel.Pack(model, Nets.Picture(), Pruned.Everything);
        (isHeld ? held : ((Conv2d)model[3]).weight).zero_();

        var fault = Assert.Throws<InvalidOperationException>(packed.Unpack);

        Assert.StartsWith("'3.weight': changed in place while the model was packed", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Pruned.Bits(model));
        packed.Unpack();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LoadStateDict_BetweenPackedModels_IsToldByTheNextCallOrByUnpackAndTheWeightsStand(bool isCall)
    {
        using var model = Nets.Convolutions();
        using var other = Nets.Blank();
        var (picture, before, loaded) = (Nets.Picture(), Pruned.Bits(model), Pruned.Bits(other));
        using var packed = SparseModel.Pack(model, picture, Pruned.Everything);
        using var otherPacked = SparseModel.Pack(other, picture, Pruned.Everything);

        model.load_state_dict(other.state_dict());

        Assert.Throws<InvalidOperationException>(isCall ? () => model.call(picture) : packed.Unpack);
        packed.Dispose();
        Assert.Equal(before.Zip(loaded, (own, given) => IsPacked(own) ? own : given), Pruned.Bits(model));

        bool IsPacked(string own) => packed.Report.Layers.Any(layer => own.StartsWith($"{layer.Name} ", StringComparison.Ordinal));
    }

    private sealed class Forked : Module<Tensor, Tensor>
    {
        private readonly Linear linear = Linear(12, 4);
        private readonly ReLU relu = ReLU();
        private readonly Tanh tanh = Tanh();

        public Forked()
            : base(nameof(Forked)) => RegisterComponents();

        public override Tensor forward(Tensor input) => input.shape[0] > 4 ? relu.call(linear.call(input)) : tanh.call(linear.call(input));
    }
}
