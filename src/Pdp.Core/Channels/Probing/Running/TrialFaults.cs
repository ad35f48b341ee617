using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Pdp.Channels.Probing.Running;

/// <summary>Tells what a model may throw because sizes don't fit from what has nothing to do with them, as a cancellation.</summary>
internal static class TrialFaults
{
    /// <summary>Whether inputs, a mode or a number of channels that the model doesn't take can be the cause.</summary>
    public static bool MayComeFromSizes(Exception fault) => fault switch
    {
        // Sockets and processes throw it.
        Win32Exception => false,
        ExternalException or ArgumentException or InvalidOperationException or IndexOutOfRangeException or ArithmeticException
            or NotSupportedException or NotImplementedException or KeyNotFoundException or InvalidCastException or NullReferenceException
            or RankException or ArrayTypeMismatchException => true,
        // The plain one, which says nothing of its cause.
        _ => fault.GetType() == typeof(Exception),
    };
}
