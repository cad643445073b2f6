namespace CdnEdge.Tls;

/// <summary>Finds every mistake in <see cref="TlsOptions"/>, each with its configuration path.</summary>
internal static class TlsOptionsValidation
{
    /// <param name="path">Where they stand: <c>CdnEdge:Tls</c>.</param>
    /// <param name="options">The options.</param>
    internal static IEnumerable<string> Errors(string path, TlsOptions options)
    {
        if (options.ExpiryWarning < TimeSpan.FromHours(1) || options.ExpiryWarning > TimeSpan.FromDays(365))
            yield return $"{path}:ExpiryWarning: {options.ExpiryWarning} is not between an hour and 365 days; such as 21.00:00:00";
        var readable = new List<SiteCertificate>();
        for (var i = 0; i < options.Certificates.Count; i++)
        {
            var files = options.Certificates[i];
            if (string.IsNullOrEmpty(files.Certificate))
                yield return $"{path}:Certificates:{i}:Certificate: missing; a PEM file of the certificate and its chain, such as /etc/cdnedge/tls/www.example.org.pem";
            else if (MistakeIn(files, readable) is { } mistake)
                yield return $"{path}:Certificates:{i}: {files.Certificate} can't be used: {mistake}";
        }

        if (options.Folder is { } folder)
        {
            if (!Directory.Exists(folder))
            {
                yield return $"{path}:Folder: there is no folder '{folder}'; make it, for it may be empty, or leave it out";
                yield break;
            }

            // Mistakes of single pairs in the folder are the log's to tell: others put them there, at any time.
            foreach (var files in CertificateFolder.Pairs(folder))
                MistakeIn(files, readable);
        }

        if (options.DefaultHost is { } host && new CertificateIndex(readable, host, DateTimeOffset.MinValue).Find(host) is null)
            yield return $"{path}:DefaultHost: there is no certificate for '{host}'; there is one for {(readable.Count == 0 ? "no host" : string.Join(", ", readable.SelectMany(static one => one.Names).Distinct().Order(StringComparer.Ordinal)))}";
    }

    private static string? MistakeIn(CertificateFiles files, List<SiteCertificate> readable)
    {
        try
        {
            readable.Add(SiteCertificate.Read(files, staplesOcsp: false));
            return null;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            return e.Message;
        }
    }
}
