using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pdp.Internal;

/// <summary>TorchSharp's native library.</summary>
internal static class TorchLibrary
{
    private static readonly nint Library =
        NativeLibrary.TryLoad("LibTorchSharp", typeof(Tensor).Assembly, null, out var library) ? library : 0;

    /// <summary>The address of a function in the library or in those that it loads; 0 if there is none.</summary>
    public static nint Export(string name) =>
        Library != 0 && NativeLibrary.TryGetExport(Library, name, out var address) ? address : 0;
}
