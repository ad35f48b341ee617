// BERT on pairs of texts, such as MNLI: fine-tuned dense, or pruned while it fine-tunes.
//
//   dotnet run -c Release --project samples/Bert -- --weights FOLDER --data FOLDER --out runs/dense
//   dotnet run -c Release --project samples/Bert -- --weights FOLDER --data FOLDER --start runs/dense/weights.safetensors --method pdp
//
// The last line of a run is its report as JSON; --help lists the options and says where to get weights and data.

using System.Globalization;
using Pdp.Samples;
using Pdp.Samples.Bert;
using Pdp.Samples.Bert.Training;
using TorchSharp;

return Sample.Run(args, Usage.Text, () =>
{
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    if (args.Length == 0)
    {
        Console.Write(Usage.Text());
        return 0;
    }

    var settings = CommandLine.Parse<Settings>(args);
    torch.set_num_threads(settings.Threads);
    torch.manual_seed(settings.Seed);
    Console.WriteLine($"bert: {Sample.Versions}, cpu, seed {settings.Seed}: {CommandLine.Echo(settings)}");
    using var run = new TrainingRun(settings);
    run.Run();
    return 0;
});
