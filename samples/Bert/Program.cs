// BERT on pairs of texts, such as MNLI: fine-tuned dense, or pruned while it fine-tunes; and comparisons of pruning methods.
//
//   dotnet run -c Release --project samples/Bert -- --weights FOLDER --data FOLDER --out runs/dense
//   dotnet run -c Release --project samples/Bert -- --weights FOLDER --data FOLDER --start runs/dense/weights.safetensors --method pdp
//   dotnet run -c Release --project samples/Bert -- compare --recipe smoke --weights FOLDER --data FOLDER --out runs/smoke
//
// The last line of a run is its report as JSON; --help and compare --help list the options and say where to get weights and data.

using System.Globalization;
using Pdp.Samples;
using Pdp.Samples.Bert;
using Pdp.Samples.Bert.Training;
using Pdp.Samples.Comparison;
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
        return Compare.Run(new ComparedBert(), rest);
    }

    var settings = CommandLine.Parse<Settings>(args);
    TransformerPruning.RequirePossible(settings);
    using var folder = settings.Out is { } place ? FolderLock.Take(place) : null;
    torch.set_num_threads(settings.Threads);
    torch.manual_seed(settings.Seed);
    var device = DeviceOption.Choose(settings.Device);
    Console.WriteLine($"bert: {Sample.Versions}, {device}, seed {settings.Seed}: {CommandLine.Echo(settings)}");
    if (DenseNote.Of(settings, settings.Method) is { } note)
    {
        Console.WriteLine(note);
    }

    using var run = new TrainingRun(settings);
    run.Run();
    return 0;
});
