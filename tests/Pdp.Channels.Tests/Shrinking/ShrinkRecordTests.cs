using System.Text;
using Pdp.Tests.Support;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Pdp.Tests.Channels.Shrinking;

public sealed class ShrinkRecordTests
{
    internal static readonly ChannelSlice Rows = new("linear1.weight", 0, 0, 1, ChannelRole.Filter);

    /// <summary>Ways to damage the record of <see cref="Good"/>.</summary>
    public static TheoryData<string> Damages =>
    [
        "offset overflows", "offset is negative", "block overflows", "block is 0", "dimension is 2", "dimension is negative",
        "channels are 2^63 - 1", "channels are 2^62 of nothing",
        "channels are 0", "kept are none", "kept are beyond", "kept are out of order", "kept are the same twice", "kept are negative",
        "role is 99", "two groups share channels",
        "no groups", "no shapes", "no group", "no name", "no slices", "no slice", "no slice's name", "no kept", "no shape",
        "shape is negative",
        "a slice is lost", "two channels share indices",
    ];

    [Theory]
    [MemberData(nameof(Damages))]
    public void Apply_OfADamagedRecord_SaysSoAtOnceAndChangesNothing(string damage)
    {
        using var model = Model();
        var before = Everything.Of(model);
        var bytes = GC.GetAllocatedBytesForCurrentThread();

        var fault = Assert.Throws<ArgumentException>(() => Damaged(damage).Apply(model));

        Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 1_000_000);
        Assert.Equal(before, Everything.Of(model));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void FromJson_OfADamagedRecord_SaysSo(string damage)
    {
        var json = Damaged(damage).ToJson();

        Assert.Contains("damaged", Assert.Throws<ArgumentException>(() => ShrinkRecord.FromJson(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_OfARecordThatKeepsAPartOfAConvolutionsGroup_ChangesNothing()
    {
        using var model = Zoo.Get(nameof(GroupedNet)).Make();
        var before = Everything.Of(model);
        var record = Good with
        {
            Groups = [new(new("grouped", 24, [new("grouped.weight", 0, 0, 1, ChannelRole.Filter)]), [0, 1, 2, 3])],
            Shapes = new Dictionary<string, IReadOnlyList<long>> { ["grouped.weight"] = [24, 4, 3, 3] },
        };

        var fault = Assert.Throws<ArgumentException>(() => record.Apply(model));

        Assert.Contains("not whole groups of the grouped convolution 'grouped'", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything.Of(model));
    }

    [Fact]
    public void FromJson_OfWhatToJsonWrote_IsTheSameRecord() => Assert.Equal(Good.ToJson(), ShrinkRecord.FromJson(Good.ToJson()).ToJson());

    [Fact]
    public void FromJson_AfterAByteOrderMark_IsTheSameRecord() =>
        Assert.Equal(Good.ToJson(), ShrinkRecord.FromJson("\uFEFF" + Good.ToJson()).ToJson());

    /// <summary>Bits that flip, ends that are missing, and numbers that lie.</summary>
    [Fact]
    public void ARecordThatIsDamagedAtRandom_IsRefusedOrAnotherOne_AndARefusalChangesNothing()
    {
        var json = Good.ToJson();
        var random = new Random(13);
        var (model, refused) = (Model(), 0);
        var before = Everything.Of(model);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 5000; i++)
        {
            var mutant = Mutate(json, random);
            try
            {
                ShrinkRecord.FromJson(mutant).Apply(model);
                model.Dispose();
                model = Model();
            }
            catch (ArgumentException)
            {
                refused++;
                if (i % 50 == 0)
                    Assert.Equal(before, Everything.Of(model));
            }
        }

        Assert.Equal(before, Everything.Of(model));
        Assert.InRange(refused, 2500, 4999);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 1_000_000_000);
        model.Dispose();
    }

    /// <summary>The record of a first layer that keeps four of its channels.</summary>
    internal static ShrinkRecord Good { get; } = new()
    {
        Version = ShrinkRecord.CurrentVersion,
        Groups =
        [
            new(
                new("linear1.weight", 24,
                    [Rows, new("linear1.bias", 0, 0, 1, ChannelRole.Bias), new("linear2.weight", 1, 0, 1, ChannelRole.Input)]),
                [1, 2, 7, 15]),
        ],
        Shapes = new SortedDictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal)
        {
            ["linear1.bias"] = [24],
            ["linear1.weight"] = [24, 14],
            ["linear2.weight"] = [18, 24],
        },
    };

    internal static Module<Tensor, Tensor> Model()
    {
        var model = Zoo.Get(nameof(Mlp)).Make();
        using var scope = NewDisposeScope();
        model.call(ones(2, 14)).sum().backward();
        return model;
    }

    private static ShrinkRecord Damaged(string how)
    {
        var shrunk = Good.Groups[0];
        ShrinkRecord With(ChannelSlice? slice) =>
            Good with { Groups = [shrunk with { Group = shrunk.Group with { Slices = [.. shrunk.Group.Slices.Skip(1), slice!] } }] };
        ShrinkRecord Keeping(params long[] kept) => Good with { Groups = [shrunk with { Kept = kept }] };
        ShrinkRecord OfChannels(long channels) =>
            Good with { Groups = [shrunk with { Group = shrunk.Group with { Channels = channels } }] };
        ShrinkRecord Shaped(long[]? shape) =>
            Good with { Shapes = new Dictionary<string, IReadOnlyList<long>>(Good.Shapes) { ["linear1.weight"] = shape! } };
        return how switch
        {
            "offset overflows" => With(Rows with { Offset = long.MaxValue - 3 }),
            "offset is negative" => With(Rows with { Offset = -1 }),
            "block overflows" => With(Rows with { Block = long.MaxValue / 8 }),
            "block is 0" => With(Rows with { Block = 0 }),
            "dimension is 2" => With(Rows with { Dimension = 2 }),
            "dimension is negative" => With(Rows with { Dimension = -1 }),
            "channels are 2^63 - 1" => OfChannels(long.MaxValue),
            "channels are 2^62 of nothing" => Good with { Groups = [new(new("x", 1L << 62, []), [0])] },
            "channels are 0" => OfChannels(0),
            "kept are none" => Keeping(),
            "kept are beyond" => Keeping(3, 24),
            "kept are out of order" => Keeping(3, 2),
            "kept are the same twice" => Keeping(3, 3),
            "kept are negative" => Keeping(-1, 3),
            "role is 99" => With(Rows with { Role = (ChannelRole)99 }),
            "two groups share channels" => Good with { Groups = [shrunk, shrunk] },
            "no groups" => Good with { Groups = null! },
            "no shapes" => Good with { Shapes = null! },
            "no group" => Good with { Groups = [shrunk, null!] },
            "no name" => Good with { Groups = [shrunk with { Group = shrunk.Group with { Name = null! } }] },
            "no slices" => Good with { Groups = [shrunk with { Group = shrunk.Group with { Slices = null! } }] },
            "no slice" => With(null),
            "no slice's name" => With(Rows with { Name = null! }),
            "no kept" => Good with { Groups = [shrunk with { Kept = null! }] },
            "no shape" => Shaped(null),
            "a slice is lost" => With(Rows with { Name = "linear1.bias" }),
            "two channels share indices" => Good with
            {
                Groups = [shrunk with
                {
                    Group = shrunk.Group with { Channels = 23, Slices = [.. shrunk.Group.Slices, Rows with { Offset = 1 }] },
                }],
            },
            _ => Shaped([24, -14]),
        };
    }

    private static string Mutate(string json, Random random)
    {
        string[] numbers = [
            "-1", "0", "1", "7", "16", "99", "2147483648", "9223372036854775807", "9223372036854775808", "1e300", "null", "\"1\"", "[]",
            "{}",
        ];
        switch (random.Next(4))
        {
            case 0:
                return json[..random.Next(json.Length)];
            case 1:
                var bytes = Encoding.UTF8.GetBytes(json);
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return Encoding.Latin1.GetString(bytes);
            case 2:
                int[] digits = [.. Enumerable.Range(0, json.Length).Where(i => char.IsDigit(json[i]))];
                var at = digits[random.Next(digits.Length)];
                return json[..at] + numbers[random.Next(numbers.Length)] + json[(at + 1)..];
            default:
                var lines = json.Split('\n').ToList();
                lines.RemoveAt(random.Next(lines.Count));
                return string.Join('\n', lines);
        }
    }
}
