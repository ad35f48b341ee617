using Pdp;
using Pdp.Training;
using static TorchSharp.torch;

// Data: points in 20 dimensions. The class says whether the first two coordinates have the same sign.
manual_seed(0);
var points = randn(20_000, 20);
var classes = points.select(1, 0).mul(points.select(1, 1)).gt(zeros(20_000)).to_type(ScalarType.Int64);
var batches = points.split(100).Zip(classes.split(100)).ToArray();
var (training, test) = (batches[..160], batches[160..]);

// A model, a loss and an optimizer, as without pruning.
using var model = nn.Sequential(
    ("fc1", nn.Linear(20, 128)), ("relu1", nn.ReLU()), ("fc2", nn.Linear(128, 128)), ("relu2", nn.ReLU()), ("head", nn.Linear(128, 2)));
using var loss = nn.CrossEntropyLoss();
using var optimizer = new FusedAdamW(model.named_parameters(), new AdamOptions { LearningRate = 3e-3 });

// The pruner attaches to the model and changes nothing in it before the first mask.
const int epochs = 12;
using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.9, Epochs = epochs, Exclude = ["head"] });

for (var epoch = 0; epoch < epochs; epoch++)
{
    model.train();
    for (var step = 0; step < training.Length; step++)
    {
        using var scope = NewDisposeScope();
        pruner.BeginEpoch(epoch, step, training.Length);
        optimizer.zero_grad();
        using (pruner.Mask())
            loss.call(model.call(training[step].First), training[step].Second).backward();
        optimizer.step();
    }

    using (pruner.Mask())
        Console.WriteLine($"epoch {epoch + 1,2}: {Accuracy():P2} under masks, {pruner.Sparsity:P1} removed");
}

Console.WriteLine(pruner.Commit());
Console.WriteLine($"committed: {Accuracy():P2} of the test points");
model.save("pruned.dat");

double Accuracy()
{
    using var scope = NewDisposeScope();
    using var noGrad = no_grad();
    model.eval();
    var right = test.Sum(batch => model.call(batch.First).argmax(1).eq(batch.Second).sum().item<long>());
    return (double)right / test.Sum(batch => batch.First.shape[0]);
}
