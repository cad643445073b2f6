namespace CdnEdge.Security;

/// <summary>
/// The section <c>CdnEdge:Sites:HOST</c>, where HOST is <c>www.example.org</c>, <c>*.example.org</c> (every name below it) or <c>*</c> (every
/// site). What a site doesn't say, the entry that fits it next best says: exactly the host, then the longer wildcard, then <c>*</c>.
/// </summary>
internal sealed class SiteOptions
{
    /// <summary>Answers what comes over http with the same URL over https (308).</summary>
    public bool? HttpsRedirect { get; set; }

    /// <summary>
    /// The port that https URLs of the site have, for redirects. Null: none where the visitor's URL had none either, else that of the first
    /// address of <c>CdnEdge:Listen</c> that is https.
    /// </summary>
    public int? HttpsPort { get; set; }

    /// <summary>Tells browsers to come over https only (RFC 6797). Null: doesn't.</summary>
    public HstsOptions? Hsts { get; set; }

    /// <summary>Tells clients over https that the site speaks HTTP/3 (Alt-Svc, RFC 7838), where the node does.</summary>
    public bool? Http3 { get; set; }

    /// <summary>Asks clients for certificates. Null: doesn't.</summary>
    public ClientCertificateOptions? ClientCertificate { get; set; }

    /// <summary>Who may come, by address. Null: everybody.</summary>
    public AddressOptions? Addresses { get; set; }

    /// <summary>What other sites may not show as theirs. Null: they may.</summary>
    public HotLinkOptions? HotLinks { get; set; }

    /// <summary>Paths that take a token (signed URLs and cookies). Null: none do.</summary>
    public TokenOptions? Tokens { get; set; }

    /// <summary>How many requests each client may make. Null: any number.</summary>
    public RateOptions? ClientRate { get; set; }

    /// <summary>How many requests all clients together may make. Null: any number.</summary>
    public RateOptions? SiteRate { get; set; }

    /// <summary>How many requests of each client may go upstream, for what isn't stored. Null: any number.</summary>
    public RateOptions? MissRate { get; set; }

    /// <summary>Adds the headers that OWASP recommends for every site, where an answer doesn't have them (<see cref="SecurityHeaders"/>).</summary>
    public bool? SecurityHeaders { get; set; }

    /// <summary>Fields that every answer gets that doesn't have them, by name. A name without a value takes one of the recommended away.</summary>
    public IDictionary<string, string> Headers { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>Strict-Transport-Security (RFC 6797).</summary>
internal sealed class HstsOptions
{
    /// <summary>For how long browsers keep to it after an answer. Zero makes them forget it.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Every host below this one too.</summary>
    public bool IncludeSubDomains { get; set; }

    /// <summary>Consents to the lists that browsers are shipped with, which takes a year and the subdomains. Hard to take back.</summary>
    public bool Preload { get; set; }
}

/// <summary>Client certificates of a site.</summary>
internal sealed class ClientCertificateOptions
{
    /// <summary>A PEM file of the authorities that issue them.</summary>
    public string? Ca { get; set; }

    /// <summary>Without one nobody gets in. False: who shows none does, who shows one of somebody else's doesn't.</summary>
    public bool Required { get; set; } = true;
}
