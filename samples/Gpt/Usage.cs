using Pdp.Samples.Comparison;

namespace Pdp.Samples.Gpt;

/// <summary>The texts of <c>--help</c>.</summary>
internal static class Usage
{
    private const string Program = "dotnet run -c Release --project samples/Gpt --";

    /// <summary>What a command line that asks for help gets.</summary>
    public static string Of(IReadOnlyList<string> arguments) =>
        arguments.Contains("compare") ? CompareHelp.Of(Program, "--data ptb") : Run();

    private static string Run() => new Help
    {
        Usage = Program,
        Text = "Trains a GPT-2 on any text, from fresh weights or from given ones, dense or pruned while it trains, reports the "
            + "perplexity and writes some text. Penn Treebank is a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt (--tokens "
            + "words), tiny Shakespeare a single file. --weights is a folder with config.json and model.safetensors of a GPT-2, such as "
            + "openai-community/gpt2 at Hugging Face.",
        Verbs = [("compare", "Runs several methods on the same work and writes tables and charts; 'compare --help' shows its options.")],
        Examples =
        [
            $"{Program} --data tinyshakespeare.txt --out runs/gpt-dense",
            $"{Program} --data tinyshakespeare.txt \\\n      --start runs/gpt-dense/weights.safetensors --method pdp --sparsity 0.9",
            $"{Program} --data ptb --tokens words \\\n      --method pdp --sparsity 0.8 --allocation uniform",
        ],
    }.For<Settings>();
}
