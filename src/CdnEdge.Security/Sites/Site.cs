using CdnEdge.Tls;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Security;

/// <summary>A site as its entries in the configuration make it. Doesn't change: another configuration makes another one.</summary>
internal sealed class Site
{
    /// <summary>A site of which nothing is said.</summary>
    internal static readonly Site Open = new([], new LimitOptions());

    /// <param name="entries">Those that fit its host, the best first. Without mistakes (<see cref="SiteOptionsValidation"/>).</param>
    /// <param name="limits">What the node bears.</param>
    internal Site(IReadOnlyList<SiteOptions> entries, LimitOptions limits)
    {
        RedirectsToHttps = Value(entries, static entry => entry.HttpsRedirect) ?? false;
        HttpsPort = Value(entries, static entry => entry.HttpsPort);
        Hsts = First(entries, static entry => entry.Hsts) is { } hsts ? StrictTransport.Field(hsts) : default;
        ClientCertificate = First(entries, static entry => entry.ClientCertificate) is { } client
            ? new ClientCertificateRule(new ClientAuthorities(client.Ca!), client.Required)
            : null;
        SpeaksHttp3 = (Value(entries, static entry => entry.Http3) ?? true) && ClientCertificate is null;
        Addresses = First(entries, static entry => entry.Addresses) is { } addresses ? new AddressRule(addresses) : null;
        HotLinks = First(entries, static entry => entry.HotLinks) is { } hotLinks ? new HotLinkRule(hotLinks) : null;
        Tokens = First(entries, static entry => entry.Tokens) is { } tokens ? new TokenRule(tokens) : null;
        var (ofClient, ofSite) = (First(entries, static entry => entry.ClientRate), First(entries, static entry => entry.SiteRate));
        Rates = ofClient is null && ofSite is null ? null : new RequestRates(ofClient, ofSite, limits);
        Misses = First(entries, static entry => entry.MissRate) is { } ofMisses ? new ClientRates(ofMisses, limits.Clients) : null;
        Headers = RecommendedHeaders.Merge(
            Value(entries, static entry => entry.SecurityHeaders) ?? false, entries.Select(static entry => entry.Headers).Reverse());
    }

    /// <summary>Every request gets in.</summary>
    internal bool IsOpen => !RedirectsToHttps && ClientCertificate is null && Addresses is null && HotLinks is null && Tokens is null && Rates is null && Misses is null;

    /// <summary>Answers get fields.</summary>
    internal bool HasFields => Hsts.Count > 0 || Headers.Length > 0;

    internal bool RedirectsToHttps { get; }

    internal int? HttpsPort { get; }

    /// <summary>May be told of, where the node speaks it. Not where certificates are asked for: which rule a connection of QUIC was made by, a request on it can't tell.</summary>
    internal bool SpeaksHttp3 { get; }

    /// <summary>Strict-Transport-Security; empty: none.</summary>
    internal StringValues Hsts { get; }

    internal ClientCertificateRule? ClientCertificate { get; }

    internal AddressRule? Addresses { get; }

    internal HotLinkRule? HotLinks { get; }

    internal TokenRule? Tokens { get; }

    internal RequestRates? Rates { get; }

    /// <summary>Each client's budget of misses.</summary>
    internal ClientRates? Misses { get; }

    /// <summary>Fields of answers that don't have them.</summary>
    internal KeyValuePair<string, StringValues>[] Headers { get; }

    private static T? First<T>(IEnumerable<SiteOptions> entries, Func<SiteOptions, T?> read)
        where T : class
        => entries.Select(read).FirstOrDefault(static value => value is not null);

    private static T? Value<T>(IEnumerable<SiteOptions> entries, Func<SiteOptions, T?> read)
        where T : struct
        => entries.Select(read).FirstOrDefault(static value => value is not null);
}
