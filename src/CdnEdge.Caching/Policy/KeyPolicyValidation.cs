using System.Globalization;

namespace CdnEdge.Caching;

/// <summary>Finds every mistake in what a policy says of keys.</summary>
internal static class KeyPolicyValidation
{
    internal static void Check(KeyPolicy key, PolicyErrors errors)
    {
        errors.Defined(nameof(key.Query), key.Query);
        CheckParameters(key, errors);
        errors.Each(nameof(key.Headers), key.Headers, static h => Token.IsToken(h) && !h.Contains('*'), "the name of a request header (a token, without *)");
        errors.Each(nameof(key.Cookies), key.Cookies, static c => Token.IsToken(c), "the name of a cookie (a token), taken literally");
        if (errors.IsThere(nameof(key.HostAliases), key.HostAliases))
            CheckAliases(key.HostAliases, errors.Under(nameof(key.HostAliases)));
    }

    private static void CheckParameters(KeyPolicy key, PolicyErrors errors)
    {
        errors.Each(nameof(key.QueryParameters), key.QueryParameters, IsParameterPattern, "the name of a query parameter, decoded, without ?, & or =, and * at most at its end");
        if (key.QueryParameters is null)
            return;

        var chooses = key.Query is QueryKeyMode.Allow or QueryKeyMode.Deny;
        if (!chooses && key.QueryParameters.Count != 0)
            errors.Add(nameof(key.QueryParameters), string.Join(", ", key.QueryParameters), $"no names with Query {key.Query}; they have a meaning with Allow and Deny only");
        if (chooses && key.QueryParameters.Count == 0)
            errors.Add(nameof(key.QueryParameters), "", $"at least one name with Query {key.Query} (Query {(key.Query is QueryKeyMode.Allow ? QueryKeyMode.None : QueryKeyMode.All)} says it without names)");
    }

    /// <summary>A lone star would make Allow mean All and Deny mean None.</summary>
    private static bool IsParameterPattern(string name) =>
        name.Length != 0 && name is not "*" && !name.AsSpan(0, name.Length - 1).Contains('*') && name.IndexOfAny(['&', '=', '?', '#']) < 0;

    private static void CheckAliases(IDictionary<string, string> aliases, PolicyErrors errors)
    {
        const string ValidHost = "a host as in https://HOST/: a name or address, :PORT where it's no default";
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (alias, canonical) in aliases)
        {
            if (!IsHost(alias))
                errors.Add(alias, alias, ValidHost);
            else if (!targets.TryAdd(CanonicalHost.Of(alias), alias))
                errors.Add(alias, alias, $"each alias once; '{targets[CanonicalHost.Of(alias)]}' is another spelling of it");
            if (canonical is null || !IsHost(canonical))
                errors.Add(alias, canonical ?? "null", ValidHost);
        }

        // Aliases are followed once, so one that leads to another, or to itself, can't mean what it says.
        foreach (var (alias, canonical) in aliases)
        {
            if (canonical is not null && IsHost(canonical) && targets.ContainsKey(CanonicalHost.Of(canonical)))
                errors.Add(alias, canonical, "a host that is no alias itself (no chains, no cycles)");
        }
    }

    private static bool IsHost(string host)
    {
        var isBracketed = host.StartsWith('[');
        var nameEnd = isBracketed ? host.IndexOf(']') + 1 : host.IndexOf(':');
        if (nameEnd < 0)
            nameEnd = host.Length;

        var name = host.AsSpan(0, nameEnd);
        if (nameEnd < host.Length
            && (host[nameEnd] != ':' || !ushort.TryParse(host.AsSpan(nameEnd + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0))
        {
            return false;
        }

        if (isBracketed)
            return name.Length > 2 && Uri.CheckHostName(name[1..^1].ToString()) == UriHostNameType.IPv6;

        return Uri.CheckHostName(name.ToString()) is UriHostNameType.Dns or UriHostNameType.IPv4
            && !name.ContainsAnyExceptInRange('\x21', '\x7E');
    }
}
