using Pdp.Samples.Comparison;

namespace Pdp.Samples.Bert;

/// <summary>The texts of <c>--help</c>.</summary>
internal static class Usage
{
    /// <summary>What --data should hold.</summary>
    public const string Files =
        "MNLI and the other tasks of GLUE are at gluebenchmark.com/tasks: unpack one, and give its folder as --data.";

    private const string Program = "dotnet run -c Release --project samples/Bert --";

    /// <summary>What a command line that asks for help gets.</summary>
    public static string Of(IReadOnlyList<string> arguments) => arguments.Contains("compare") ? Comparison() : Run();

    private static string Run() => new Help
    {
        Usage = Program,
        Text = "Fine-tunes BERT on pairs of texts, dense or pruned while it trains, and reports the accuracy. --weights is a folder "
            + "with config.json, vocab.txt and model.safetensors of any BERT without case, such as google-bert/bert-base-uncased "
            + $"at Hugging Face. {Files}",
        Verbs = [("compare", "Runs several methods on the same work and writes tables and charts; 'compare --help' shows its options.")],
        Examples =
        [
            $"{Program} --weights bert --data mnli --out runs/dense",
            $"{Program} --weights bert --data mnli \\\n"
                + "      --start runs/dense/weights.safetensors --teacher runs/dense/weights.safetensors \\\n"
                + "      --method pdp --sparsity 0.9",
        ],
    }.For<Settings>();

    private static string Comparison() => CompareHelp.Of(Program, "--weights bert --data mnli");
}
