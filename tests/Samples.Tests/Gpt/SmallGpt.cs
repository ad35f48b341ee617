using Pdp.Training;
using static TorchSharp.torch;

namespace Pdp.Samples.Tests.Gpt;

/// <summary>A GPT-2 of two layers with random weights, and its arithmetic in plain loops in double precision.</summary>
internal sealed class SmallGpt
{
    public const int Width = 8;
    public const int Inner = 12;
    public const int Tokens = 11;
    public const int Positions = 6;
    private const int Layers = 2;
    private const int Heads = 2;

    public const string Json =
        """{ "vocab_size": 11, "n_positions": 6, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_inner": 12,"""
            + """ "activation_function": "gelu_new" }""";

    private readonly string _json;

    // Rows by columns as in Hugging Face's files: matrices are [in, out]; vectors have one row.
    private readonly Dictionary<string, double[][]> _weights = new(StringComparer.Ordinal);

    public SmallGpt(int tokens = Tokens, int positions = Positions)
    {
        _json = Json.Replace("\"vocab_size\": 11", $"\"vocab_size\": {tokens}", StringComparison.Ordinal)
            .Replace("\"n_positions\": 6", $"\"n_positions\": {positions}", StringComparison.Ordinal);
        Fill("wte.weight", tokens, Width, 0.5);
        Fill("wpe.weight", positions, Width, 0.5);
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"h.{layer}.";
            FillNorm(name + "ln_1");
            FillLinear(name + "attn.c_attn", Width, 3 * Width);
            FillLinear(name + "attn.c_proj", Width, Width);
            FillNorm(name + "ln_2");
            FillLinear(name + "mlp.c_fc", Width, Inner);
            FillLinear(name + "mlp.c_proj", Inner, Width);
        }

        FillNorm("ln_f");
    }

    /// <summary>Writes config.json and model.safetensors.</summary>
    public void Write(string folder, string prefix = "", Action<Dictionary<string, Tensor>>? change = null)
    {
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), _json);
        var tensors = _weights.ToDictionary(entry => prefix + entry.Key, entry => TensorOf(entry.Key, entry.Value), StringComparer.Ordinal);
        change?.Invoke(tensors);
        Safetensors.Save(Path.Combine(folder, "model.safetensors"), tensors);
    }

    /// <summary>The logits after each token of a text.</summary>
    public double[][] Logits(int[] text)
    {
        double[][] stream = [.. text.Select((token, place) => Sum(_weights["wte.weight"][token], _weights["wpe.weight"][place]))];
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"h.{layer}.";
            var mixed = Attend([.. stream.Select(row => Linear(Norm(row, name + "ln_1"), name + "attn.c_attn"))]);
            stream = [.. stream.Zip(mixed, (row, attended) => Sum(row, Linear(attended, name + "attn.c_proj")))];
            stream = [.. stream.Select(
                row => Sum(row, Linear([.. Linear(Norm(row, name + "ln_2"), name + "mlp.c_fc").Select(Gelu)], name + "mlp.c_proj")))];
        }

        return [.. stream.Select(row => Norm(row, "ln_f")).Select(
            row => _weights["wte.weight"].Select(token => Dot(token, row)).ToArray())];
    }

    private static double[][] Attend(double[][] rows)
    {
        const int head = Width / Heads;
        double[][] mixed = [.. rows.Select(_ => new double[Width])];
        for (var place = 0; place < rows.Length; place++)
        {
            for (var first = 0; first < Width; first += head)
            {
                var query = rows[place].AsSpan(first, head).ToArray();
                var scores = Enumerable.Range(0, place + 1).Select(other =>
                    Math.Exp(Dot(query, rows[other][(Width + first)..(Width + first + head)]) / Math.Sqrt(head))).ToArray();
                for (var other = 0; other <= place; other++)
                    for (var i = 0; i < head; i++)
                        mixed[place][first + i] += scores[other] / scores.Sum() * rows[other][(2 * Width) + first + i];
            }
        }

        return mixed;
    }

    private double[] Linear(double[] input, string name)
    {
        var output = (double[])_weights[name + ".bias"][0].Clone();
        for (var i = 0; i < input.Length; i++)
            for (var j = 0; j < output.Length; j++)
                output[j] += input[i] * _weights[name + ".weight"][i][j];
        return output;
    }

    private double[] Norm(double[] row, string name)
    {
        var mean = row.Average();
        var spread = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
        return [.. row.Select((value, i) => ((value - mean) / spread * _weights[name + ".weight"][0][i]) + _weights[name + ".bias"][0][i])];
    }

    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    private static double Dot(double[] one, double[] other) => one.Zip(other, (a, b) => a * b).Sum();

    private static double[] Sum(double[] one, double[] other) => [.. one.Zip(other, (a, b) => a + b)];

    private void FillLinear(string name, int inputs, int outputs)
    {
        Fill(name + ".weight", inputs, outputs, 0.5);
        Fill(name + ".bias", 1, outputs, 0.5);
    }

    private void FillNorm(string name)
    {
        Fill(name + ".weight", 1, Width, 0.5, middle: 1);
        Fill(name + ".bias", 1, Width, 0.5);
    }

    // Numbers that a float32 holds exactly.
    private void Fill(string name, int rows, int columns, double spread, double middle = 0)
    {
        var random = new SplitMix(3, _weights.Count, 0);
        _weights[name] = [.. Enumerable.Range(0, rows).Select(
            _ => Enumerable.Range(0, columns).Select(_ => (double)(float)(middle + (spread * ((2 * random.Unit()) - 1)))).ToArray())];
    }

    private static Tensor TensorOf(string name, double[][] rows)
    {
        float[] values = [.. rows.SelectMany(row => row).Select(value => (float)value)];
        return rows.Length == 1 && !name.StartsWith('w') ? tensor(values) : tensor(values).reshape(rows.Length, rows[0].Length);
    }
}
