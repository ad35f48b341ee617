namespace Pdp.Samples.ImageNet;

/// <summary>The text of <c>--help</c>.</summary>
internal static class Usage
{
    public static string Text() => new Help
    {
        Usage = "dotnet run -c Release --project samples/ImageNet --",
        Text = "Trains ResNet18, ResNet50, MobileNet-v1 or MobileNet-v2 on ImageNet, dense or pruned with PDP while it trains. "
            + "Recipes set the options, which "
            + "can be given on the command line as well. Ctrl-C keeps a checkpoint in --out, and --resume continues from it.",
        Examples =
        [
            "dotnet run -c Release --project samples/ImageNet -- --recipe smoke --data synthetic:64",
            "dotnet run -c Release --project samples/ImageNet -- --recipe pdp-resnet18 \\\n      --data /data/imagenet --out runs/pdp",
            "dotnet run -c Release --project samples/ImageNet -- --data /data/imagenet --device cpu \\\n"
                + "      --evaluate runs/pdp/weights.sparse.safetensors --packed",
        ],
    }.For<Settings>() + $"\nRecipes\n{string.Concat(Recipe.Names.Select(name => $"  {name}\n"))}";
}
