#!/usr/bin/env bash
# Packs the libraries and uses the packages as a stranger would: from a project outside the repository that has nothing but these.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

torch_version=$(dotnet msbuild "$repository/src/Pdp.Core" -getProperty:TorchSharpVersion)
# A version of its own for each run: a package of the same version might come from a cache.
version=$(dotnet msbuild "$repository/src/Pdp.Core" -getProperty:Version)-check.$(date +%s)

for library in Pdp.Core Pdp.Baselines; do
    dotnet pack "$repository/src/$library" -p:Version="$version" --artifacts-path "$work/artifacts" --output "$work/feed"
done

# The packages at hand serve as fallback, so that only ours are unpacked, into a folder that goes away with the rest.
cached=$(dotnet nuget locals global-packages --list --force-english-output | sed 's/^global-packages: //')
mkdir "$work/consumer"
cat > "$work/consumer/NuGet.config" <<XML
<configuration>
  <packageSources>
    <add key="packed here" value="$work/feed" />
  </packageSources>
  <config>
    <add key="globalPackagesFolder" value="$work/packages" />
  </config>
  <fallbackPackageFolders>
    <add key="cached" value="$cached" />
  </fallbackPackageFolders>
</configuration>
XML
cat > "$work/consumer/Consumer.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">

  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
  </PropertyGroup>

  <ItemGroup>
    <PackageReference Include="Pdp.Core" Version="$version" />
    <PackageReference Include="Pdp.Baselines" Version="$version" />
    <PackageReference Include="TorchSharp-cpu" Version="$torch_version" />
  </ItemGroup>

</Project>
XML
cp "$repository/.ci/consumer/Program.cs.txt" "$work/consumer/Program.cs"

dotnet build "$work/consumer"
output=$(dotnet run --project "$work/consumer" --no-build)
echo "$output"
grep --quiet 'consumer ok' <<< "$output"
