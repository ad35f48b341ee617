using Pdp.Samples.Comparison;

namespace Pdp.Samples.Tests;

public sealed class ComparedDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ComparedDataTests()
    {
        Directory.CreateDirectory(_folder.File("runs"));
        Directory.CreateDirectory(_folder.File("data"));
        File.WriteAllText(_folder.File("data/train.tsv"), "one");
        File.WriteAllText(_folder.File("text"), "one");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("data", "data/train.tsv")]
    [InlineData("text", "text")]
    public void Require_OfOtherDataThanBefore_SaysSo(string data, string file)
    {
        ComparedData.Require(_folder.File("runs"), _folder.File(data));
        ComparedData.Require(_folder.File("runs"), _folder.File(data));
        File.WriteAllText(_folder.File(file), "three");

        var error = Assert.Throws<ArgumentException>(() => ComparedData.Require(_folder.File("runs"), _folder.File(data)));

        Assert.Contains("holds results of other data than", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_OfTheSameDataElsewhere_IsContent()
    {
        ComparedData.Require(_folder.File("runs"), _folder.File("data"));
        Directory.Move(_folder.File("data"), _folder.File("moved"));

        ComparedData.Require(_folder.File("runs"), _folder.File("moved"));
    }
}
