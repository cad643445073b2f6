namespace CdnEdge.Upstream;

/// <summary>What is told to and believed from other proxies.</summary>
public sealed class ForwardingOptions
{
    // What frameworks, gateways and CDNs are known to read: another URL, host, scheme or method than the request's, who
    // asks, or what only their own parts tell each other. X-Forwarded-* and Forwarded are replaced in any case.
    private static readonly string[] Claims =
    [
        "X-Original-URL", "X-Original-URI", "X-Original-Path", "X-Original-Host", "X-Rewrite-URL", "X-Override-URL",
        "X-HTTP-Path-Override", "X-HTTP-Host-Override", "X-HTTP-DestinationURL", "X-Proxy-URL", "Request-URI",
        "X-Host", "Proxy-Host", "X-Server-Name", "X-Server-Port",
        "X-Scheme", "X-URL-Scheme", "Front-End-Https", "X-HTTPS", "X-SSL", "X-ARR-SSL",
        "X-Forward-For", "X-Forward-Host", "X-Forward-Proto", "X-Forwarder-For",
        "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
        "X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "Fastly-Client-IP",
        "X-Cluster-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-ProxyUser-IP", "X-Azure-ClientIP",
        "X-Middleware-Subrequest", "X-Middleware-Prefetch", "X-Middleware-Rewrite", "X-Now-Route-Matches", "X-Matched-Path",
        "X-Invoke-Path", "X-Invoke-Query", "X-Invoke-Status", "X-Invoke-Error", "X-Sendfile-Type", "X-Accel-Mapping",
    ];

    /// <summary>
    /// Addresses (<c>10.1.2.3</c>) and networks (<c>10.0.0.0/8</c>, <c>fd00::/8</c>) of proxies in front, whose
    /// X-Forwarded-* and Forwarded are extended; anybody else's are replaced.
    /// </summary>
    public IList<string> TrustedProxies { get; set; } = [];

    /// <summary>
    /// Request fields that don't go upstream, since origins choose their answer by them and no key knows of it; those that
    /// override the method only from GET, HEAD and the other safe methods. An underscore counts as a hyphen. A policy lets
    /// single ones pass: <c>PassHeaders</c>, and what it has in its key.
    /// </summary>
    public IList<string> RemoveHeaders { get; set; } = [.. Claims];

    /// <summary>
    /// The longest request field that is forwarded, all its lines together, in bytes: 256 to 32,768. A request with a longer one
    /// is answered with 431 where the cache can't answer it. The default is what most origins take.
    /// </summary>
    public int MaxFieldBytes { get; set; } = 8192;

    /// <summary>Send X-Forwarded-For, -Proto and -Host upstream.</summary>
    public bool XForwarded { get; set; } = true;

    /// <summary>Send Forwarded (RFC 7239) upstream.</summary>
    public bool Forwarded { get; set; } = true;

    /// <summary>
    /// Send the Host that the client asked for, on routes that don't say otherwise with YARP's transform
    /// <c>RequestHeaderOriginalHost</c>; a destination's own <c>Host</c> still wins. False: YARP's default, the host
    /// of the destination's address. With an https destination this name is also the one in TLS (SNI, certificate).
    /// </summary>
    public bool OriginalHost { get; set; } = true;
}
