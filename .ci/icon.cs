#!/usr/bin/env dotnet
#:property ManagePackageVersionsCentrally=false
#:package SkiaSharp@3.119.4
#:package SkiaSharp.NativeAssets.Linux.NoDependencies@3.119.4
// Draws the packages' icon, a weight matrix that keeps two of four weights in each row: dotnet run .ci/icon.cs src/Packaging/icon.png
using SkiaSharp;

const int side = 128, cell = 24, gap = 8, margin = (side - 4 * cell - 3 * gap) / 2;
string[] rows = ["x..x", ".xx.", "x.x.", "..xx"];

using var surface = SKSurface.Create(new SKImageInfo(side, side));
using var kept = new SKPaint { Color = new SKColor(0x51, 0x2b, 0xd4), IsAntialias = true };
using var removed = new SKPaint { Color = new SKColor(0xd9, 0xd2, 0xf5), IsAntialias = true };
for (var row = 0; row < 4; row++)
    for (var column = 0; column < 4; column++)
        surface.Canvas.DrawRoundRect(Place(column), Place(row), cell, cell, 5, 5, rows[row][column] == 'x' ? kept : removed);

using var image = surface.Snapshot();
using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
File.WriteAllBytes(args[0], png.ToArray());

static int Place(int index) => margin + index * (cell + gap);
