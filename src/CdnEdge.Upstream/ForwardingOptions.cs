namespace CdnEdge.Upstream;

/// <summary>What is told to and believed from other proxies.</summary>
public sealed class ForwardingOptions
{
    /// <summary>
    /// Addresses (<c>10.1.2.3</c>) and networks (<c>10.0.0.0/8</c>, <c>fd00::/8</c>) of proxies in front, whose
    /// X-Forwarded-* and Forwarded are extended; anybody else's are replaced.
    /// </summary>
    public IList<string> TrustedProxies { get; set; } = [];

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
