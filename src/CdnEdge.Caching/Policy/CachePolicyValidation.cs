using System.Globalization;

namespace CdnEdge.Caching;

/// <summary>Finds every mistake in a policy, each named by its configuration path.</summary>
internal static class CachePolicyValidation
{
    private static readonly string[] KnownMethods = ["GET", "HEAD", "POST"];

    /// <param name="path">Configuration path of the policy, e.g. <c>CdnEdge:Policies:static</c>.</param>
    /// <param name="policy">The policy as bound; null members are found too.</param>
    internal static IEnumerable<string> Errors(string path, CachePolicy policy)
    {
        var errors = new PolicyErrors(path);
        CheckMethods(policy, errors);
        CheckDurations(policy, errors);
        CheckStatuses(policy, errors);
        CheckDirectives(policy, errors);
        CheckBounds(policy, errors);
        if (errors.IsThere(nameof(policy.Key), policy.Key))
            KeyPolicyValidation.Check(policy.Key, errors.Under(nameof(policy.Key)));
        if (errors.IsThere(nameof(policy.Bypass), policy.Bypass))
            CheckBypass(policy.Bypass, errors.Under(nameof(policy.Bypass)));
        if (errors.IsThere(nameof(policy.Compression), policy.Compression))
            CompressionPolicyValidation.Check(policy.Compression, errors.Under(nameof(policy.Compression)));
        return errors.All;
    }

    private static void CheckMethods(CachePolicy policy, PolicyErrors errors)
    {
        if (policy.Methods is { Count: 0 })
            errors.Add(nameof(policy.Methods), "", "at least one of GET, HEAD, POST (Enabled: false turns caching off)");

        errors.Each(nameof(policy.Methods), policy.Methods, static m => KnownMethods.Contains(m, StringComparer.Ordinal), "GET, HEAD or POST, in capitals");
    }

    private static void CheckDurations(CachePolicy policy, PolicyErrors errors)
    {
        errors.NotNegative(nameof(policy.DefaultTtl), policy.DefaultTtl);
        errors.NotNegative(nameof(policy.MinTtl), policy.MinTtl);
        errors.NotNegative(nameof(policy.MaxTtl), policy.MaxTtl);
        errors.NotNegative(nameof(policy.HeuristicCeiling), policy.HeuristicCeiling);
        errors.NotNegative(nameof(policy.Grace), policy.Grace);
        errors.NotNegative(nameof(policy.StaleWhileRevalidate), policy.StaleWhileRevalidate);
        errors.NotNegative(nameof(policy.StaleIfError), policy.StaleIfError);
        errors.NotNegative(nameof(policy.UncacheableMarkerTtl), policy.UncacheableMarkerTtl);
        if (policy.MinTtl > policy.MaxTtl)
            errors.Add(nameof(policy.MinTtl), policy.MinTtl.Value.ToString(), string.Create(CultureInfo.InvariantCulture, $"at most MaxTtl ({policy.MaxTtl})"));
    }

    private static void CheckStatuses(CachePolicy policy, PolicyErrors errors)
    {
        if (errors.IsThere(nameof(policy.StatusTtl), policy.StatusTtl))
        {
            foreach (var (status, ttl) in policy.StatusTtl)
            {
                var name = $"{nameof(policy.StatusTtl)}:{status}";
                if (!IsStatusOrClass(status))
                    errors.Add(name, status, "a status from 100 to 599, or a class from 1xx to 5xx");
                errors.NotNegative(name, ttl);
            }
        }

        if (errors.IsThere(nameof(policy.StoreStatuses), policy.StoreStatuses))
        {
            for (var i = 0; i < policy.StoreStatuses.Count; i++)
            {
                if (policy.StoreStatuses[i] is < 200 or > 599 or 206 or 304)
                {
                    errors.Add(
                        string.Create(CultureInfo.InvariantCulture, $"{nameof(policy.StoreStatuses)}:{i}"),
                        policy.StoreStatuses[i].ToString(CultureInfo.InvariantCulture),
                        "a final status from 200 to 599, and neither 206 nor 304, which are no responses of their own");
                }
            }
        }
    }

    private static void CheckDirectives(CachePolicy policy, PolicyErrors errors)
    {
        if (policy.OverrideCacheControl is { } directives && !DirectiveSyntax.IsValid(directives))
            errors.Add(nameof(policy.OverrideCacheControl), directives, "cache directives such as \"max-age=60, stale-if-error=600\", durations in whole seconds");

        errors.Each(nameof(policy.TargetedFields), policy.TargetedFields, IsTargetedField, "the name of a targeted field such as CDN-Cache-Control, and not Cache-Control itself");
        errors.Each(nameof(policy.StripTargetedFields), policy.StripTargetedFields, IsTargetedField, "the name of a targeted field such as CDN-Cache-Control, and not Cache-Control itself");
        errors.Each(nameof(policy.PassHeaders), policy.PassHeaders, static h => Token.IsToken(h) && !h.Contains('*'), "the name of a request header (a token, without *)");
        errors.Each(nameof(policy.TagFields), policy.TagFields, static f => Token.IsToken(f), "the name of a response field such as Cache-Tag");
    }

    private static void CheckBounds(CachePolicy policy, PolicyErrors errors)
    {
        if (!(policy.HeuristicFraction is >= 0 and <= 1))
            errors.Add(nameof(policy.HeuristicFraction), policy.HeuristicFraction.ToString(CultureInfo.InvariantCulture), "a fraction from 0 to 1");
        if (policy.MaxVariants is < 1 or > 10_000)
            errors.Add(nameof(policy.MaxVariants), policy.MaxVariants.ToString(CultureInfo.InvariantCulture), "1 to 10000");
        if (policy.MaxObjectBytes <= 0)
            errors.Add(nameof(policy.MaxObjectBytes), policy.MaxObjectBytes.Value.ToString(CultureInfo.InvariantCulture), "at least 1 (Enabled: false turns caching off)");

        errors.Defined(nameof(policy.HeuristicWithCookies), policy.HeuristicWithCookies);
        errors.Defined(nameof(policy.SetCookie), policy.SetCookie);
    }

    private static void CheckBypass(BypassPolicy bypass, PolicyErrors errors)
    {
        // The star that ends a prefix is a token character too, so one check covers both.
        errors.Each(nameof(bypass.Cookies), bypass.Cookies, static c => Token.IsToken(c) && !c[..^1].Contains('*'), "the name of a cookie (a token), * at most at its end");
        errors.Each(nameof(bypass.Headers), bypass.Headers, static h => Token.IsToken(h) && !h.Contains('*'), "the name of a request header (a token, without *)");
        errors.Each(nameof(bypass.QueryParameters), bypass.QueryParameters, static p => p.Length != 0 && p.IndexOfAny(['&', '=', '?', '#']) < 0, "the name of a query parameter, without ?, & or =");
        errors.Each(nameof(bypass.Paths), bypass.Paths, static p => p.StartsWith('/') && p.IndexOfAny(['?', '#']) < 0, "a path that starts with / and has no query");
    }

    private static bool IsStatusOrClass(string status) =>
        status.Length == 3 && status[0] is >= '1' and <= '5'
        && ((char.IsAsciiDigit(status[1]) && char.IsAsciiDigit(status[2])) || status.AsSpan(1).Equals("xx", StringComparison.OrdinalIgnoreCase));

    private static bool IsTargetedField(string name) =>
        Token.IsToken(name) && name is not "*" && !name.Equals("Cache-Control", StringComparison.OrdinalIgnoreCase);
}
