using Pdp.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Pdp.Tests;

public sealed class LeakTests
{
    public static TheoryData<string> Operations => ["step", "evaluate", "report", "plan", "state", "restore", "commit"];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Operation_Repeated_LeavesNoTensorBehind(string operation)
    {
        using var model = TestModels.Mlp();
        using var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.7, Epochs = 1, Schedule = new ConstantSparsity() });
        TestModels.Train(model, pruner, 0, seed: 0);
        Run(operation, model, pruner);
        Leaks.ForgetGarbage();
        var before = (Tensor.TotalCount, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        for (var i = 0; i < 5; i++)
            Run(operation, model, pruner);

        Assert.Equal(before, (Tensor.TotalCount, DisposeScopeManager.Statistics.ThreadTotalLiveCount));
    }

    [Fact]
    public void Pruner_MadeUsedAndDisposed_LeavesNoTensorBehind()
    {
        using var model = TestModels.Mlp();
        using (var warm = new PdpPruner(model, new PdpOptions { Sparsity = 0.7, Epochs = 1, Schedule = new ConstantSparsity() }))
            TestModels.Train(model, warm, 0, seed: 0);
        Leaks.ForgetGarbage();
        var before = Tensor.TotalCount;

        using (var pruner = new PdpPruner(model, new PdpOptions { Sparsity = 0.7, Epochs = 1, Schedule = new ConstantSparsity() }))
        {
            TestModels.Train(model, pruner, 0, seed: 0);
            pruner.Commit();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    private static void Run(string operation, nn.Module<Tensor, Tensor> model, PdpPruner pruner)
    {
        switch (operation)
        {
            case "step":
                TestModels.Train(model, pruner, 0, seed: 1);
                break;
            case "evaluate":
                using (no_grad())
                    pruner.Mask(MaskForm.Folded).Dispose();
                break;
            case "report":
                pruner.Report();
                break;
            case "plan":
                pruner.Plan();
                break;
            case "state":
                pruner.GetState();
                break;
            case "restore":
                pruner.Restore(pruner.GetState());
                break;
            default:
                pruner.Commit();
                break;
        }
    }
}
