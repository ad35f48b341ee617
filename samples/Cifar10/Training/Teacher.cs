using Pdp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Samples.Cifar10;

/// <summary>
/// A trained network that teaches another one (Hinton et al. 2015): its answers make up half of the loss, at temperature 2.
/// </summary>
internal sealed class Teacher : IDisposable
{
    private const double Temperature = 2;
    private readonly ResNet20 _network;
    private readonly Scalar _softening = (1 / Temperature).ToScalar();
    private readonly Scalar _half = 0.5.ToScalar();
    private readonly Scalar _scale = (0.5 * Temperature * Temperature).ToScalar();
    private readonly Scalar _one = 1.ToScalar();

    /// <param name="weights">The file of its weights.</param>
    /// <param name="width">Its width, that of the student.</param>
    public Teacher(string weights, int width)
    {
        _network = new ResNet20(width);
        Safetensors.LoadInto(_network, weights);
        _network.eval();
    }

    /// <summary>½·cross entropy + ½·T²·KL(teacher ‖ student), the latter of the softened answers, up to the teacher's entropy.</summary>
    public Tensor Loss(Tensor pictures, Tensor answers, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var task = nn.functional.cross_entropy(answers, labels);
        var target = Answers(pictures);
        var distance = nn.functional.cross_entropy(answers.mul(_softening), target);
        return task.mul(_half).add(distance.mul(_scale), _one).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _network.Dispose();
        _softening.Dispose();
        _half.Dispose();
        _scale.Dispose();
        _one.Dispose();
    }

    private Tensor Answers(Tensor pictures)
    {
        using var noGrad = no_grad();
        return _network.call(pictures).mul(_softening).softmax(1);
    }
}
