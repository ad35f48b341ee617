using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>A trained network whose answers make up half of another one's loss, at temperature 2.</summary>
internal sealed class Teacher : IDisposable
{
    private static readonly DistillationOptions Options = new() { Temperature = 2, Weight = 0.5 };
    private readonly ResNet20 _network;

    /// <param name="weights">The file of its weights.</param>
    /// <param name="width">Its width, that of the student.</param>
    /// <param name="device">Where the student is.</param>
    public Teacher(string weights, int width, Device device)
    {
        _network = new ResNet20(width);
        Safetensors.LoadInto(_network, weights);
        _network.to(device).eval();
    }

    /// <summary>½·cross entropy + ½·T²·KL(teacher ‖ student).</summary>
    public Tensor Loss(Tensor pictures, Tensor answers, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var task = nn.functional.cross_entropy(answers, labels);
        return Distillation.Loss(task, answers, Answers(pictures), Options).MoveToOuterDisposeScope();
    }

    public void Dispose() => _network.Dispose();

    private Tensor Answers(Tensor pictures)
    {
        using var noGrad = no_grad();
        return _network.call(pictures);
    }
}
