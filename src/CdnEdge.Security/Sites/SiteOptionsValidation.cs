using CdnEdge.Caching;
using CdnEdge.Tls;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.Proof;

namespace CdnEdge.Security;

/// <summary>Finds every mistake in the sites of a configuration, each with its configuration path.</summary>
internal static class SiteOptionsValidation
{
    private static readonly TimeSpan PreloadAge = TimeSpan.FromDays(365);

    /// <param name="path">Where they stand: <c>CdnEdge:Sites</c>.</param>
    /// <param name="sites">The sites by host.</param>
    internal static IEnumerable<string> Errors(string path, ICollection<KeyValuePair<string, SiteOptions>> sites) =>
        sites.SelectMany(site => OfHost($"{path}:{site.Key}", site.Key).Concat(OfSite($"{path}:{site.Key}", site.Value)))
            .Concat(sites.GroupBy(static site => AsciiHost.Of(site.Key), StringComparer.OrdinalIgnoreCase)
                .Where(static spellings => spellings.Count() > 1)
                .Select(spellings => $"{path}:{spellings.Last().Key}: is the same host as '{spellings.First().Key}'; put both into one"));

    private static IEnumerable<string> OfHost(string path, string host)
    {
        var name = host == "*" ? "any" : host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (name.Contains('*', StringComparison.Ordinal) || Uri.CheckHostName(name) is UriHostNameType.Unknown or UriHostNameType.Basic || name.EndsWith('.'))
            yield return $"{path}: '{host}' is not a host; such as www.example.org, *.example.org for every name below it, or * for every site";
    }

    private static IEnumerable<string> OfSite(string path, SiteOptions site)
    {
        if (site.HttpsPort is < 1 or > 65535)
            yield return $"{path}:HttpsPort: {site.HttpsPort} is not a port; 1 to 65535";
        if (site.Hsts is { } hsts)
        {
            if (hsts.MaxAge < TimeSpan.Zero)
                yield return $"{path}:Hsts:MaxAge: {hsts.MaxAge:c} is not a time to keep to it; such as 365.00:00:00, or 00:00:00 to take it back";
            if (hsts.Preload && (!hsts.IncludeSubDomains || hsts.MaxAge < PreloadAge))
                yield return $"{path}:Hsts:Preload: browsers' lists take no site without IncludeSubDomains and a MaxAge of 365 days";
        }

        if (site.ClientCertificate is { } client)
        {
            if (client.Ca is not { } file)
                yield return $"{path}:ClientCertificate:Ca: missing; a PEM file of the authorities that issue the clients' certificates";
            else if (ClientAuthorities.MistakeIn(file) is { } mistake)
                yield return $"{path}:ClientCertificate:Ca: {file} {mistake}";
        }

        foreach (var mistake in OfAccess(path, site))
            yield return mistake;
        foreach (var (key, rate) in new[] { ("ClientRate", site.ClientRate), ("SiteRate", site.SiteRate), ("MissRate", site.MissRate) })
        {
            foreach (var mistake in rate?.Errors($"{path}:{key}") ?? [])
                yield return mistake;
        }

        foreach (var (name, value) in site.Headers)
        {
            if (!Token.IsToken(name))
                yield return $"{path}:Headers:{name}: '{name}' is not the name of a field (RFC 9110 §5.1)";
            else if (name.Equals("Strict-Transport-Security", StringComparison.OrdinalIgnoreCase) || name.Equals("Alt-Svc", StringComparison.OrdinalIgnoreCase))
                yield return $"{path}:Headers:{name}: has a setting of its own; use {(name.StartsWith('S') || name.StartsWith('s') ? "Hsts" : "Http3")}";
            else if (Reserved.Contains(name))
                yield return $"{path}:Headers:{name}: says how the message is framed, or what its body is; only who answers can say that";
            else if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                yield return $"{path}:Headers:{name}: '{value}' has characters that a field can't have";
        }
    }

    private static IEnumerable<string> OfAccess(string path, SiteOptions site)
    {
        foreach (var (key, list) in new[] { ("Allow", site.Addresses?.Allow ?? []), ("Deny", site.Addresses?.Deny ?? []) })
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (AddressList.MistakeIn(list[i]) is { } mistake)
                    yield return $"{path}:Addresses:{key}:{i}: {mistake}";
            }
        }

        foreach (var (section, paths) in new[] { ("HotLinks", site.HotLinks?.Paths ?? []), ("Tokens", site.Tokens?.Paths ?? []) })
        {
            for (var i = 0; i < paths.Count; i++)
            {
                if (ProtectedPaths.MistakeIn(paths[i]) is { } mistake)
                    yield return $"{path}:{section}:Paths:{i}: {mistake}";
            }
        }

        for (var i = 0; i < (site.HotLinks?.Allow.Count ?? 0); i++)
        {
            foreach (var mistake in OfHost($"{path}:HotLinks:Allow:{i}", site.HotLinks!.Allow[i]))
                yield return mistake;
        }

        if (site.Tokens is not { } tokens)
            yield break;
        if (tokens.Paths.Count == 0)
            yield return $"{path}:Tokens:Paths: none, so that nothing takes a token; such as [\"/video/\"], or [\"/\"] for the whole site";
        if (tokens.Keys.Count == 0)
            yield return $"{path}:Tokens:Keys: none, so that nobody gets in; such as {{ \"2026\": \"...\" }} with what 'openssl rand -base64 32' prints";
        if (!Token.IsToken(tokens.Name))
            yield return $"{path}:Tokens:Name: '{tokens.Name}' is not the name of a cookie; letters, digits, - and _";
        foreach (var (id, key) in tokens.Keys)
        {
            if (id.Length == 0 || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                yield return $"{path}:Tokens:Keys:{id}: '{id}' is not the id of a key; letters, digits, - and _";
            if (HmacKey.MistakeIn(key) is { } inKey)
                yield return $"{path}:Tokens:Keys:{id}: {inKey}";
        }
    }

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Date", "ETag", "Age", "Keep-Alive", "Set-Cookie",
        "Trailer", "Transfer-Encoding", "Upgrade", "Vary",
    };
}
