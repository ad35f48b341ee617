using System.Buffers.Binary;
using Pdp.Samples.ImageNet.Reporting;
using Tensorboard;

namespace Pdp.Samples.Tests.ImageNet;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // CRC-32C of this text is 0xE3069283 by its definition; TFRecord turns it right by 15 bits and adds a constant.
    [Fact]
    public void Checksum_OfTheUsualText_IsTFRecords() =>
        Assert.Equal(unchecked(((0xE3069283u >> 15) | (0xE3069283u << 17)) + 0xA282EAD8u), EventFile.Checksum("123456789"u8));

    [Fact]
    public void Write_WhenReadBack_GivesTheEventsWithTheirTimes()
    {
        using (var file = new EventFile(_folder.Path, 70))
        {
            file.Write(71, new Summary { Value = { new Summary.Types.Value { Tag = "loss", SimpleValue = 0.5f } } });
        }

        var events = Read(Assert.Single(Directory.GetFiles(_folder.Path)));

        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.Equal((70, SessionLog.Types.SessionStatus.Start), (events[1].Step, events[1].SessionLog.Status));
        Assert.Equal((71, "loss", 0.5f), (events[2].Step, events[2].Summary.Value[0].Tag, events[2].Summary.Value[0].SimpleValue));
        Assert.All(events, entry => Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - entry.WallTime, -2, 60));
    }

    [Fact]
    public void Weights_OfAPruningRun_AreThereWithTheirMasks()
    {
        using var run = new TinyRun(TinyRun.Default with { Epochs = 2, RampEnd = 1.5 });
        run.Train();
        var before = run.State();
        using (var board = new TensorBoardLog(_folder.Path, 0))
        {
            board.Weights(12, run.Learner);
        }

        var values = Read(Assert.Single(Directory.GetFiles(_folder.Path)))[2].Summary.Value.ToDictionary(
            value => value.Tag, value => value.Histo);

        var mask = values["masks/block.conv.2.weight"];
        Assert.Equal(before, run.State());
        Assert.Equal(run.Learner.Model.parameters().Count(parameter => parameter.dim() > 1), values.Keys.Count(
            name => name.StartsWith("weights/", StringComparison.Ordinal)));
        Assert.Equal(8 * 16, values["weights/block.conv.2.weight"].Num);
        Assert.InRange(mask.Min, 0, 0.5);
        Assert.InRange(mask.Max, 0.5, 1.000001);
    }

    internal static List<Event> Read(ReadOnlySpan<byte> bytes)
    {
        var events = new List<Event>();
        while (bytes.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            Assert.Equal(EventFile.Checksum(bytes[..8]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));
            Assert.Equal(EventFile.Checksum(bytes[12..(12 + length)]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[(12 + length)..]));
            events.Add(Event.Parser.ParseFrom(bytes[12..(12 + length)].ToArray()));
            bytes = bytes[(16 + length)..];
        }

        return events;
    }

    private static List<Event> Read(string path) => Read(File.ReadAllBytes(path));
}
