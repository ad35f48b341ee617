#!/usr/bin/env bash
# Packs the libraries, looks into the packages, and uses them as a stranger would, from projects outside the repository that have nothing
# but these: in C# and F#, and published as one trimmed file and as native code.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

torch_version=$(dotnet msbuild "$repository/src/Pdp.Core" -getProperty:TorchSharpVersion)
# A version of its own for each run: a package of the same version might come from a cache. The assemblies have the usual one, and those
# of a Release build are packed as they are.
version=$(dotnet msbuild "$repository/src/Pdp.Core" -getProperty:Version)-check.$(date +%s)

# The builds of the first two libraries have the others in them.
dotnet pack "$repository/src/Pdp.Baselines" -p:PackageVersion="$version" --output "$work/feed"
dotnet pack "$repository/src/Pdp.Sparse" -p:PackageVersion="$version" --output "$work/feed"
dotnet pack "$repository/src/Pdp.Core" -p:PackageVersion="$version" --output "$work/feed" --no-build
dotnet pack "$repository/src/Pdp.Training" -p:PackageVersion="$version" --output "$work/feed" --no-build
dotnet run "$repository/.ci/package-check.cs" -- "$work/feed"

# As they will be once the repository has a home: one property gives all links, and SourceLink comes from the remote.
home=https://github.com/owner/pdp
git clone --quiet --no-checkout "$repository" "$work/home"
# What is about to be committed, not what was committed last.
git -C "$repository" ls-files -z --cached --others --exclude-standard --deduplicate \
    | tar -C "$repository" --create --null --ignore-failed-read --files-from - | tar -C "$work/home" --extract
git -C "$work/home" remote set-url origin "$home"
dotnet pack "$work/home/src/Pdp.Core" -p:PdpRepositoryUrl="$home" --output "$work/linked"
dotnet run "$repository/.ci/package-check.cs" -- "$work/linked" "$home" Pdp.Core
rm -rf "$work/home"

# The packages at hand serve as fallback, so that only ours are unpacked, into a folder that goes away with the rest.
cached=$(dotnet nuget locals global-packages --list --force-english-output | sed 's/^global-packages: //')
cat > "$work/NuGet.config" <<XML
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
# Warnings of the trimmer about TorchSharp and its dependencies, which are not made for it, are no errors; ours are looked for below.
# Nor is it one that TorchSharp gets later patch releases than it asks for, those at hand (NU1603).
cat > "$work/Directory.Build.props" <<XML
<Project>
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <RuntimeIdentifier>linux-x64</RuntimeIdentifier>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <InvariantGlobalization>true</InvariantGlobalization>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <WarningsNotAsErrors>IL2104;IL3000;IL3053;NU1603</WarningsNotAsErrors>
    <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
    <CreateHardLinksForPublishFilesIfPossible>true</CreateHardLinksForPublishFilesIfPossible>
    <NativeDebugSymbols>false</NativeDebugSymbols>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Pdp.Core" Version="$version" />
    <PackageReference Include="Pdp.Baselines" Version="$version" />
    <PackageReference Include="Pdp.Training" Version="$version" />
    <PackageReference Include="Pdp.Sparse" Version="$version" />
    <PackageReference Include="TorchSharp-cpu" Version="$torch_version" />
  </ItemGroup>
</Project>
XML
mkdir "$work/csharp" "$work/fsharp"
echo '<Project Sdk="Microsoft.NET.Sdk" />' > "$work/csharp/Consumer.csproj"
echo '<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><Compile Include="Program.fs" /></ItemGroup></Project>' > "$work/fsharp/Consumer.fsproj"
cp "$repository/.ci/consumer/Program.cs.txt" "$work/csharp/Program.cs"
cp "$repository/.ci/consumer/Program.fs.txt" "$work/fsharp/Program.fs"

# Runs a program, which says in the end that all is well.
check() {
    echo "-- $*"
    "$@" | tee "$work/output"
    grep --quiet 'consumer ok' "$work/output"
}

publish() {
    dotnet publish "$work/csharp" --output "$work/$1" "${@:2}" | tee "$work/output"
    ! grep 'warning IL.*Pdp' "$work/output"
}

fails() {
    ! "$@"
}

# Where the native library of a portable build comes from under a value of PdpPatchTorchSharp.
shim() {
    dotnet msbuild "$work/csharp" -t:ResolvePackageAssets -getItem:RuntimeTargetsCopyLocalItems -p:RuntimeIdentifier= -p:PdpPatchTorchSharp="$1" | grep '"FullPath".*/libLibTorchSharp.so"'
}

check dotnet run --project "$work/csharp"
check dotnet run --project "$work/fsharp"

shim always | grep "$work/csharp/obj"
shim never | grep --invert-match "$work/csharp/obj"
fails shim sometimes 2> /dev/null

# The native libraries are inside the file, and unpacked by it.
publish single --self-contained -p:PublishSingleFile=true -p:IncludeNativeLibrariesForSelfExtract=true -p:PublishTrimmed=true -p:PdpPatchTorchSharp=always
grep --quiet 'PdpPatchTorchSharp=never leaves' "$work/output"
DOTNET_BUNDLE_EXTRACT_BASE_DIR=$work/unpacked check "$work/single/Consumer"
rm -rf "$work/single" "$work/unpacked"

# Native code is linked by one of these.
command -v clang gcc > /dev/null || { apt-get update && apt-get install --yes gcc libc6-dev; }
publish native -p:PublishAot=true
check "$work/native/Consumer"
