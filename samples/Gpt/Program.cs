// GPT-2 on any text: trained from fresh weights or from given ones, dense or pruned while it trains; and comparisons of pruning methods.
//
//   dotnet run -c Release --project samples/Gpt -- --data tinyshakespeare.txt --out runs/gpt-dense
//   dotnet run -c Release --project samples/Gpt -- --data tinyshakespeare.txt --start runs/gpt-dense/weights.safetensors --method pdp
//   dotnet run -c Release --project samples/Gpt -- compare --recipe smoke --data FILE --out runs/smoke
//
// The last line of a run is its report as JSON; --help and compare --help list the options.

using System.Globalization;
using Pdp.Samples;
using Pdp.Samples.Comparison;
using Pdp.Samples.Gpt;
using Pdp.Samples.Gpt.Training;
using Pdp.Samples.Transformers;
using TorchSharp;

return Sample.Run(args, () => Usage.Of(args), () =>
{
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    if (args.Length == 0)
    {
        Console.Write(Usage.Of(args));
        return 0;
    }

    if (args is ["compare", .. var rest])
    {
        return Compare.Run(new ComparedGpt(), rest);
    }

    var settings = CommandLine.Parse<Settings>(args);
    TransformerPruning.RequirePossible(settings);
    using var folder = settings.Out is { } place ? FolderLock.Take(place) : null;
    torch.set_num_threads(settings.Threads);
    torch.manual_seed(settings.Seed);
    var device = DeviceOption.Choose(settings.Device);
    Console.WriteLine($"gpt: {Sample.Versions}, {device}, seed {settings.Seed}: {CommandLine.Echo(settings)}");
    if (DenseNote.Of(settings, settings.Method) is { } note)
    {
        Console.WriteLine(note);
    }

    using var run = new TrainingRun(settings);
    run.Run();
    return 0;
});
