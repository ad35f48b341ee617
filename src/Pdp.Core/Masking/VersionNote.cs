using Pdp.Numerics.Kernels;
using TorchSharp.Modules;

namespace Pdp.Masking;

/// <summary>Remembers how often autograd has counted a change of parameters, which is far cheaper than to compare their values.</summary>
/// <remarks>Code that writes to memory directly isn't counted; on a device other than the CPU there is none.</remarks>
internal sealed class VersionNote(IReadOnlyList<Parameter> parameters)
{
    private readonly long[] _versions = new long[parameters.Count];

    /// <summary>Whether a parameter may have changed since they were noted; true where versions can't be read.</summary>
    public bool MayDiffer
    {
        get
        {
            for (var i = 0; i < _versions.Length; i++)
            {
                if (!NativeTensor.HasVersions || parameters[i].IsInvalid || NativeTensor.Version(parameters[i].Handle) != _versions[i])
                    return true;
            }

            return false;
        }
    }

    /// <summary>Notes the parameters as they are.</summary>
    public void Take()
    {
        for (var i = 0; i < _versions.Length; i++)
            _versions[i] = NativeTensor.Version(parameters[i].Handle);
        GC.KeepAlive(this);
    }
}
