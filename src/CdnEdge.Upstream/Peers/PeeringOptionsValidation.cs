using System.Globalization;
using CdnEdge.Caching;

namespace CdnEdge.Upstream.Peers;

/// <summary>Finds every mistake in the options by which nodes know each other, each named by its configuration path.</summary>
internal static class PeeringOptionsValidation
{
    private static readonly TimeSpan LeastSkew = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(5);
    private const int MostHops = 4;

    /// <param name="path">Where the options stand: <c>CdnEdge:Peering</c>.</param>
    /// <param name="options">The options.</param>
    internal static IReadOnlyList<string> Errors(string path, PeeringOptions options)
    {
        var errors = new PolicyErrors(path);

        // The machine's own name may be anything, and matters only where nodes ask each other.
        var isSaid = options.Id != Environment.MachineName || options.Key is not null;
        if (errors.IsThere(nameof(options.Id), options.Id) && isSaid && !PeerField.IsId(options.Id))
            errors.Add(nameof(options.Id), options.Id, "1 to 64 letters, digits, '.', '-' and '_', another name for each node");
        CheckKey(nameof(options.Key), options.Key, errors);
        CheckKey(nameof(options.PreviousKey), options.PreviousKey, errors);
        if (options.PreviousKey is not null && options.Key is null)
            errors.Add(nameof(options.Key), "", "a key beside PreviousKey; leave both out where nodes don't ask each other");
        if (options.MaxClockSkew < LeastSkew || options.MaxClockSkew > MostSkew)
            errors.Add(nameof(options.MaxClockSkew), options.MaxClockSkew.ToString("c", CultureInfo.InvariantCulture), $"a duration from {LeastSkew:c} to {MostSkew:c}");
        if (options.MaxHops is < 1 or > MostHops)
            errors.Add(nameof(options.MaxHops), options.MaxHops.ToString(CultureInfo.InvariantCulture), $"a number of nodes from 1 to {MostHops}");
        return errors.All;
    }

    // Not the value: it's a secret, even with a slip in it.
    private static void CheckKey(string name, string? value, PolicyErrors errors)
    {
        if (value is not null && PeerAuthentication.TryReadKey(value) is null)
            errors.Add(name, "(not shown)", "32 bytes in base64, as 'openssl rand -base64 32' makes them");
    }
}
