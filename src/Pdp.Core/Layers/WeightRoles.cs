using TorchSharp;
using TorchSharp.Modules;

namespace Pdp.Layers;

/// <summary>Classifies parameters by the type of their module and by their name in it.</summary>
internal static class WeightRoles
{
    public static WeightRole Of(torch.nn.Module module, string name) => module switch
    {
        Linear or Bilinear or Convolution when name == "weight" => WeightRole.Layer,
        RNN or LSTM or GRU or RNNCell or LSTMCell or GRUCell when IsWeight(name) => WeightRole.Layer,
        MultiheadAttention or Transformer when IsWeight(name) => WeightRole.Layer,
        TransformerEncoder or TransformerEncoderLayer or TransformerDecoder or TransformerDecoderLayer when IsWeight(name) =>
            WeightRole.Layer,
        Embedding or EmbeddingBag => WeightRole.Embedding,
        LayerNorm or NormBase or GroupNorm => WeightRole.Norm,
        _ => WeightRole.Other,
    };

    /// <summary>
    /// Native containers own parameters of many names, such as <c>weight_ih_l0</c>, <c>in_proj_weight</c> and <c>bias_k</c>.
    /// </summary>
    private static bool IsWeight(string name) => name[(name.LastIndexOf('.') + 1)..].Contains("weight", StringComparison.Ordinal);
}
