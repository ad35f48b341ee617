using Pdp.Sparse;
using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Benchmarks;

/// <summary>Files of a model.</summary>
internal static class StoredFile
{
    /// <summary>How many times smaller its sparse file is than a plain safetensors file.</summary>
    public static double Smaller(nn.Module model)
    {
        var folder = Directory.CreateTempSubdirectory("pdp-");
        try
        {
            var (dense, sparse) = (Path.Join(folder.FullName, "dense"), Path.Join(folder.FullName, "sparse"));
            using (NewDisposeScope())
                Safetensors.Save(dense, model.state_dict());
            SparseFile.Save(model, sparse);
            return new FileInfo(dense).Length / (double)new FileInfo(sparse).Length;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
