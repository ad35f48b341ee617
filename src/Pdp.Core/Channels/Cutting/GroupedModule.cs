using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Pdp.Channels.Cutting;

/// <summary>A module that treats its channels in groups, and has fewer groups after a cut.</summary>
/// <param name="words">What the module is, and its name.</param>
/// <param name="weight">Its weight.</param>
/// <param name="groups">The number of groups before any cut.</param>
/// <param name="setGroups">Sets the number of groups.</param>
internal sealed class GroupedModule(string words, Parameter weight, long groups, Action<long> setGroups)
{
    private readonly long _size = weight.shape[0];

    /// <summary>The grouping of a grouped convolution or a group norm; null for other modules.</summary>
    public static GroupedModule? Of(string name, Module module) => module switch
    {
        Convolution { groups: > 1 } layer =>
            new($"the grouped convolution '{name}'", layer.weight, layer.groups, groups => layer.groups = groups),
        GroupNorm { weight: not null } norm =>
            new($"the group norm '{name}'", norm.weight, norm.num_groups, groups => SetGroups(norm, groups)),
        _ => null,
    };

    /// <summary>Updates the number of groups to the weight.</summary>
    /// <exception cref="ArgumentException">Only a part of a group was removed.</exception>
    public void Update()
    {
        var left = Math.DivRem(groups * weight.shape[0], _size, out var rest);
        if (rest != 0)
        {
            throw new ArgumentException(
                $"The channels to be cut are not whole groups of {words}: "
                + "the channel map or the shrink record is damaged, or belongs to another model.");
        }

        setGroups(left);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_num_groups")]
    private static extern void SetGroups(GroupNorm norm, long groups);
}
