namespace CdnEdge.Security;

/// <summary>The section <c>CdnEdge:Acme</c>: where answers to the HTTP-01 challenges of ACME (RFC 8555 §8.3) are. Neither: they're the sites' own matter.</summary>
internal sealed class AcmeOptions
{
    /// <summary>The URL of the ACME client's own server, such as <c>http://127.0.0.1:8402</c>.</summary>
    public Uri? Forward { get; set; }

    /// <summary>The folder that the ACME client writes into: the web root, under which it makes <c>.well-known/acme-challenge</c>.</summary>
    public string? Folder { get; set; }

    /// <summary>Every mistake, with its configuration path.</summary>
    internal IEnumerable<string> Errors(string path)
    {
        if (Forward is not null && Folder is not null)
            yield return $"{path}: has both Forward and Folder; an ACME client has one of them, leave out the other";
        if (Forward is { } url && (url.Scheme != Uri.UriSchemeHttp || url.PathAndQuery != "/" || url.UserInfo.Length > 0))
            yield return $"{path}:Forward: '{url.OriginalString}' is not the address of a server; such as http://127.0.0.1:8402";
        if (Folder is { } folder && !Directory.Exists(folder))
            yield return $"{path}:Folder: there is no folder '{folder}'; make it, for it may be empty";
    }
}
