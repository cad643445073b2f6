namespace CdnEdge.Tls;

/// <summary>The section <c>CdnEdge:Tls</c>: certificates for the addresses of <c>CdnEdge:Listen</c> that are <c>https://</c>.</summary>
internal sealed class TlsOptions
{
    /// <summary>
    /// A folder of PEM pairs, looked at again every other second: <c>NAME.pem</c> or <c>NAME.crt</c> with <c>NAME.key</c> beside it or
    /// the key in it, and folders with <c>fullchain.pem</c> and <c>privkey.pem</c> (as certbot writes them). Null: none.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>Pairs by their files.</summary>
    public IList<CertificateFiles> Certificates { get; set; } = [];

    /// <summary>
    /// The host whose certificate clients get that name no host, or one without a certificate. Null: those that name none get the
    /// certificate of the first pair, and the others are refused (unrecognized_name, RFC 6066 §3).
    /// </summary>
    public string? DefaultHost { get; set; }

    /// <summary>
    /// Sends with a certificate what its authority's OCSP responder says of it (RFC 6066 §8), where the certificate names one; .NET asks it
    /// in the background. False: nobody is asked.
    /// </summary>
    public bool OcspStapling { get; set; } = true;

    /// <summary>HTTP/3 on the same ports over UDP, where this machine has what it takes (libmsquic).</summary>
    public bool Http3 { get; set; } = true;

    /// <summary>So long before the end of a certificate the log begins to say so, once a day. An hour to 365 days; 21 days.</summary>
    public TimeSpan ExpiryWarning { get; set; } = TimeSpan.FromDays(21);
}

/// <summary>Where a certificate and its key are.</summary>
internal sealed record CertificateFiles
{
    /// <summary>A PEM file of the certificate and, after it, those up to the root.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file of its key. Null: in the same file.</summary>
    public string? Key { get; set; }
}
