using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace Pdp.Samples.ImageNet.Reporting;

/// <summary>A file of events for TensorBoard, in the framing of TFRecord: length, its checksum, event, its checksum.</summary>
/// <remarks>
/// TorchSharp 0.107 has a writer of its own, whose histograms make Scalars that the garbage collector may free while they
/// are read, and which gives times in ticks where TensorBoard wants seconds. Its message types are used here, too.
/// </remarks>
internal sealed class EventFile : IDisposable
{
    private readonly Stream _stream;

    /// <param name="folder">The folder, which TensorBoard is pointed to.</param>
    /// <param name="step">The step that the run starts or continues at: what an earlier file has after it does not count.</param>
    public EventFile(string folder, long step)
        : this(Open(folder), step)
    {
    }

    /// <param name="stream">Takes the events, and is disposed with this; without a buffer, so that what failed isn't tried again.</param>
    /// <param name="step">The step that the run starts or continues at.</param>
    internal EventFile(Stream stream, long step)
    {
        _stream = stream;
        var now = DateTime.UtcNow;
        Write(new Event { WallTime = Seconds(now), FileVersion = "brain.Event:2" });
        Write(new Event
        {
            WallTime = Seconds(now),
            Step = step,
            SessionLog = new SessionLog { Status = SessionLog.Types.SessionStatus.Start }
        });
    }

    /// <exception cref="IOException">It can't be written; the file is as before, and others can follow.</exception>
    public void Write(long step, Summary summary) =>
        Write(new Event { WallTime = Seconds(DateTime.UtcNow), Step = step, Summary = summary });

    /// <summary>The checksum of TFRecord: CRC-32C, rotated and shifted, so that it may cover other checksums.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8;
    }

    public void Dispose() => _stream.Dispose();

    private static FileStream Open(string folder)
    {
        Directory.CreateDirectory(folder);
        var now = DateTime.UtcNow;
        var name = FormattableString.Invariant(
            $"events.out.tfevents.{Seconds(now):F0}.{Environment.MachineName}.{Environment.ProcessId}.{now.Ticks}");
        return new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    private static double Seconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;

    private void Write(Event entry)
    {
        var body = entry.ToByteArray();
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(header, body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Checksum(header[..8]));
        Span<byte> footer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(footer, Checksum(body));
        var end = _stream.Position;
        try
        {
            _stream.Write([.. header, .. body, .. footer]);
            _stream.Flush();
        }
        catch (IOException)
        {
            // TensorBoard reads no further than an event that is torn.
            _stream.SetLength(end);
            _stream.Position = end;
            throw;
        }
    }
}
