using Pdp.Masking;
using Pdp.Tests.Support;
using static Pdp.Tests.Masking.BatchLayers;
using static TorchSharp.torch;

namespace Pdp.Tests.Masking;

/// <summary>A scope that can't be entered leaves all weights dense, whatever else goes wrong.</summary>
public sealed class MaskedModelTests
{
    [Fact]
    public void Enter_WhenOneFailsAndAnotherCannotBeLeft_PutsTheOthersBack()
    {
        PrunedLayer[] layers = [LayerOf("a", 1), LayerOf("b", 2), LayerOf("c", double.NaN)];
        layers[1].Group.Follow(new Stubborn(new SoftRule(layers[1].Mask, layers[1].Group.Slices)));
        using var model = new MaskedModel(layers, []);
        model.Advance(1, 0);
        var before = layers.Select(layer => Weight(layer).Bits()).ToArray();

        var fault = Assert.Throws<InvalidOperationException>(() => model.Enter(MaskForm.Soft));

        Assert.Contains("'c'", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, layers.Select(layer => Weight(layer).Bits()));
    }

    private static PrunedLayer LayerOf(string name, double scale) => Layer(
        name, [4, 8], new Unstructured(), ScalarType.Float64, Temperature.Relative(0.25), null, target: 16, place => scale * (1 + place));

    /// <summary>A rule that fails when its weight leaves.</summary>
    private sealed class Stubborn(IMaskRule rule) : IMaskRule
    {
        public bool IsIdentity => rule.IsIdentity;

        public GroupValues Enter(GroupValues dense, MaskForm form) => rule.Enter(dense, form);

        public GroupValues Again(GroupValues dense, MaskForm form) => throw new InvalidOperationException("There is no memory.");

        public GroupValues Leave(GroupValues dense, GroupValues upstream, MaskForm form) => rule.Leave(dense, upstream, form);

        public Tensor Kept(Tensor weight) => rule.Kept(weight);

        public void Forget() => rule.Forget();

        public void Dispose() => rule.Dispose();
    }
}
