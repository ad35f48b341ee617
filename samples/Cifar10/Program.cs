// ResNet-20 on CIFAR-10, dense or pruned while it trains, and comparisons of pruning methods.
//
//   dotnet run -c Release --project samples/Cifar10 -- --data cifar10-images.tar.gz --weights resnet20.safetensors
//   mpirun -n 4 dotnet run -c Release --no-build --project samples/Cifar10 -- --distributed --data …
//   dotnet run -c Release --project samples/Cifar10 -- compare --recipe smoke --data … --weights … --out runs/smoke
//
// Data: CIFAR-10 as pictures or as the official binary archive (--download fetches it). Training takes about three
// minutes an epoch on one core. The last line of a run is its report as JSON; --out DIR keeps it with the weights. --help
// and compare --help list the options.

using System.Globalization;
using Pdp.Samples;
using Pdp.Samples.Cifar10;
using Pdp.Samples.Cifar10.Gallery;
using Pdp.Samples.Cifar10.Scanning;
using Pdp.Samples.Comparison;
using Pdp.Training;
using TorchSharp;

return Sample.Run(args, () => Usage.Of(args), () =>
{
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    if (args is ["compare", .. var rest])
    {
        return Compare.Run(new ComparedCifar10(), rest);
    }

    if (args is ["gallery", .. var options])
    {
        return Draw.Run(options);
    }

    if (args is ["sensitivity", .. var scan])
    {
        return Scan.Run(scan);
    }

    var settings = CommandLine.Parse<Settings>(args);
    return Ranks.Run(settings.Distributed, ranks => Run(settings, ranks));
});

static int Run(Settings settings, ICollective ranks)
{
    // Only the first rank shows and writes.
    Agreement.Require(ranks, settings.Common());
    if (ranks.Rank > 0)
    {
        Console.SetOut(TextWriter.Null);
    }

    RunRequirements.Require(settings);
    using var folder = settings.Out is { } place && ranks.Rank == 0 ? FolderLock.Take(place) : null;
    torch.set_num_threads(settings.Threads);
    torch.manual_seed(settings.Seed);
    var device = DeviceOption.Choose(settings.Device, ranks);
    Console.WriteLine($"cifar10: {Sample.Versions}, {device}, seed {settings.Seed}: {CommandLine.Echo(settings)}");
    if (DenseNote.Of(settings, settings.Method) is { } note)
    {
        Console.WriteLine(note);
    }

    ConsoleProgress.IsSilent = ranks.Size > 1;
    if (ranks.Size > 1)
    {
        Console.WriteLine(Ranks.Describe(ranks));
    }

    using var run = new TrainingRun(settings, ranks);
    run.Run();
    return 0;
}
