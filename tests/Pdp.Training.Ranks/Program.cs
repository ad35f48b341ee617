// What the tests start by mpirun: mpirun -n 2 dotnet Pdp.Training.Ranks.dll train
//
// Each scenario prints what the tests compare, as NAME=VALUE lines with the rank in front.

using Pdp.Training;
using Pdp.Training.Ranks;

switch (args[0])
{
    case "again":
        return Misuse.Again((collective, text) => Console.WriteLine($"{collective.Rank}:{text}"));
    case "undescribed":
        return Misuse.Undescribed();
    default:
        break;
}

return MpiRanks.Run(collective =>
{
    TorchSharp.torch.set_num_threads(1);
    void Say(string name, object value) => Console.WriteLine(FormattableString.Invariant($"{collective.Rank}:{name}={value}"));
    switch (args[0])
    {
        case "train":
            var result = SmallTraining.Run(collective, sparsity: 0.6);
            Say("weights", result.Weights);
            Say("masks", result.Masks);
            Say("zeros", result.Zeros);
            return 0;
        case "throw":
            collective.Barrier();
            _ = collective.Rank == 1 ? throw new TimeoutException("the disk is gone") : 0;
            collective.Barrier();
            return 0;
        case "early":
            using (var model = TorchSharp.torch.nn.Linear(2, 2))
            using (var parallel = new DataParallel(model, collective))
            {
                if (collective.Rank == 0)
                {
                    parallel.AverageGradients();
                }
            }

            return 0;
        case "mismatch":
            using (var numbers = TorchSharp.torch.ones(collective.Rank + 1))
            using (var number = TorchSharp.torch.ones(1))
            {
                Say("lengths", ErrorOf(() => collective.Sum(numbers)));
                Say("kinds", ErrorOf(collective.Rank == 0 ? collective.Barrier : () => collective.Sum(numbers)));
                collective.Sum(number);
                Say("sum", number.data<float>()[0]);
            }

            return 0;
        case "exit":
            collective.Barrier();
            if (collective.Rank == 1)
            {
                Environment.Exit(int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture));
            }

            collective.Barrier();
            return 0;
        case "wait":
            collective.Barrier();
            Say("process", Environment.ProcessId);
            Console.Out.Flush();
            if (collective.Rank == 1)
            {
                Thread.Sleep(Timeout.Infinite);
            }

            collective.Barrier();
            return 0;
        case "threads":
            return Misuse.InTwoThreads(collective);
        case "finally":
            return Misuse.InFinally(collective);
        case "thread":
            return Misuse.InAThread(collective);
        default:
            throw new ArgumentException($"There is no scenario '{args[0]}'.");
    }
});

static string ErrorOf(Action call)
{
    try
    {
        call();
        return "none";
    }
    catch (InvalidOperationException e)
    {
        return e.Message;
    }
}
