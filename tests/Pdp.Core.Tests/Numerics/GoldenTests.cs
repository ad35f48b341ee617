using Pdp.Masking;
using Pdp.Numerics;
using Pdp.Tests.Support;
using static TorchSharp.torch;

namespace Pdp.Tests.Numerics;

/// <summary>The reference values of an independent implementation, in float64 and in float32.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string, ScalarType> Cases
    {
        get
        {
            var cases = new TheoryData<string, ScalarType>();
            foreach (var name in GoldenCase.Names)
            {
                cases.Add(name, ScalarType.Float64);
                cases.Add(name, ScalarType.Float32);
            }

            return cases;
        }
    }

    [SharedFact]
    public void Cases_OfTheFile_AreAllTestedAndMostAreSoft()
    {
        var names = GoldenCase.NamesInFile;

        var soft = names.Count(name => GoldenCase.Named(name).SoftMask.Any(mask => mask is > 0.05 and < 0.95));

        Assert.Equal(GoldenCase.Names.Order(), names.Order());
        Assert.True(soft >= 15);
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Threshold_OfGoldenWeights_IsTheReference(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenCase.Named(name);
        var weight = Tensors.Of(golden.Weight, golden.Shape, type);

        var threshold = golden.Mask().Threshold(weight);

        // The file lists groups kernel position by kernel position or block by block, which is no matter.
        Close.Equal(
            [.. golden.Threshold.Order()], [.. threshold.Values().Order()], type == ScalarType.Float64 ? Close.Float64 : Close.Float32);
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Soft_OfGoldenWeights_IsTheReference(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenCase.Named(name);
        var weight = Tensors.Of(golden.Weight, golden.Shape, type);

        var mask = golden.Mask().Soft(weight);

        Close.Equal(golden.Cutting(golden.SoftMask), mask.Values(), Tolerance(golden, type));
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Apply_ToGoldenWeights_IsTheReference(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenCase.Named(name);
        var weight = Tensors.Of(golden.Weight, golden.Shape, type);

        var masked = golden.Mask().Apply(weight);

        Assert.Equal(type, masked.dtype);
        Close.Equal(golden.Cutting(golden.MaskedWeight), masked.Values(), Tolerance(golden, type));
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Apply_DifferentiatedByAutograd_GivesTheReferenceGradient(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenCase.Named(name);
        var weight = Tensors.Of(golden.Weight, golden.Shape, type).requires_grad_();
        var upstream = Tensors.Of(golden.UpstreamGradient, golden.Shape, type);

        golden.Mask().Apply(weight).backward([upstream]);

        var tolerance = Tolerance(golden, type);
        Close.Equal(golden.Cutting(golden.WeightGradient), weight.grad!.Values(), tolerance, tolerance);
    }

    [SharedTheory]
    [MemberData(nameof(Cases))]
    public void Gradient_InClosedForm_IsTheReference(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var golden = GoldenCase.Named(name);
        var weight = Tensors.Of(golden.Weight, golden.Shape, type);
        var upstream = Tensors.Of(golden.UpstreamGradient, golden.Shape, type);

        var gradient = SoftMask.Gradient(weight, upstream, golden.Mask().BoundaryOf(weight), golden.Strategy, golden.Layout);

        var tolerance = Tolerance(golden, type);
        Close.Equal(golden.Cutting(golden.WeightGradient), gradient.Values(), tolerance, tolerance);
    }

    /// <summary>In float32 each of the few roundings of t and w shifts the logit by about t²/τ units in the last place.</summary>
    private static double Tolerance(GoldenCase golden, ScalarType type) =>
        type == ScalarType.Float64
            ? Close.Float64 : Math.Max(Close.Float32, 4 * Math.Pow(2, -24) * golden.Threshold.Max(t => t * t) / golden.Tau);
}
