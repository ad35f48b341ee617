using System.Globalization;
using Pdp.Sparse;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>What a trained network takes: on disk, and for an input.</summary>
/// <param name="Form">dense, shrunk or packed.</param>
/// <param name="Bytes">The length of its file: a plain safetensors file, or a sparse one for a packed network.</param>
/// <param name="Milliseconds">The median time of a call.</param>
internal sealed record Deployment(string Form, long Bytes, double Milliseconds)
{
    public const string Header = "form,bytes,milliseconds";

    /// <summary>Measures a network as it is.</summary>
    public static Deployment Plain(string form, nn.Module<Tensor, Tensor> model, Tensor example)
    {
        using var scope = NewDisposeScope();
        var bytes = LengthOf(path => Safetensors.Save(path, model.state_dict()));
        return new(form, bytes, Time(model, example));
    }

    /// <summary>Measures a network as it runs on its nonzeros, packed for an example.</summary>
    public static Deployment Packed(nn.Module<Tensor, Tensor> model, Tensor example)
    {
        var bytes = LengthOf(path => SparseFile.Save(model, path));
        model.eval();
        using var packed = SparseModel.Pack(model, example);
        return new("packed", bytes, Time(model, example));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Form},{Bytes},{Milliseconds:0.000}");

    private static long LengthOf(Action<string> save)
    {
        var folder = Directory.CreateTempSubdirectory("pdp-");
        try
        {
            var path = Path.Join(folder.FullName, "model.safetensors");
            save(path);
            return new FileInfo(path).Length;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Time(nn.Module<Tensor, Tensor> model, Tensor example)
    {
        model.eval();
        return CallTime.Median(() => model.call(example));
    }
}
