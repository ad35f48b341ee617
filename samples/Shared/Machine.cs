using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples;

/// <summary>
/// What a run computes on. Processors round differently, and training multiplies the difference, so the numbers of two machines
/// differ as those of two seeds do.
/// </summary>
internal static class Machine
{
    private const int BrandLeaf = unchecked((int)0x8000_0002);
    private const int BrandLeaves = 3;

    /// <summary>The processor and its widest vectors, such as "AMD EPYC (family 25, model 17), AVX-512".</summary>
    public static string Processor { get; } = $"{Model()}{Vectors()}";

    /// <summary>The processor, and the GPU if the run is on one.</summary>
    public static string Of(Device device) => device.type == DeviceType.CUDA ? $"{Processor}, {device}" : Processor;

    /// <summary>Whether a report's machine has the same processor as this one.</summary>
    public static bool IsThis(string? machine) =>
        machine == Processor || machine?.StartsWith($"{Processor}, ", StringComparison.Ordinal) == true;

    // Virtual machines hide the number of the model from the name, but not its family.
    private static string Model()
    {
        if (!X86Base.IsSupported || X86Base.CpuId(unchecked((int)0x8000_0000), 0).Eax < BrandLeaf + BrandLeaves - 1)
        {
            return $"{RuntimeInformation.ProcessArchitecture}";
        }

        var (family, model) = Signature(X86Base.CpuId(1, 0).Eax);
        return $"{Brand()} (family {family}, model {model})";
    }

    private static string Brand()
    {
        var bytes = new byte[BrandLeaves * 4 * sizeof(int)];
        for (var leaf = 0; leaf < BrandLeaves; leaf++)
        {
            var (a, b, c, d) = X86Base.CpuId(BrandLeaf + leaf, 0);
            int[] registers = [a, b, c, d];
            for (var i = 0; i < registers.Length; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(((leaf * registers.Length) + i) * sizeof(int)), registers[i]);
            }
        }

        return Encoding.ASCII.GetString(bytes).Trim('\0', ' ');
    }

    // As the manuals of both makers have it: the extended parts count where the base is at its end.
    private static (int Family, int Model) Signature(int bits)
    {
        var (model, family) = ((bits >> 4) & 0xf, (bits >> 8) & 0xf);
        var (moreModel, moreFamily) = ((bits >> 16) & 0xf, (bits >> 20) & 0xff);
        return (family == 0xf ? family + moreFamily : family, family is 0xf or 6 ? model | (moreModel << 4) : model);
    }

    private static string Vectors() =>
        Avx512F.IsSupported ? ", AVX-512" : Avx2.IsSupported ? ", AVX2" : AdvSimd.IsSupported ? ", NEON" : "";
}
