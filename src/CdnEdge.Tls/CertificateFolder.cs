namespace CdnEdge.Tls;

/// <summary>The pairs of a folder.</summary>
internal static class CertificateFolder
{
    private static readonly string[] Endings = [".pem", ".crt"];

    /// <summary>The pairs in it, by name; what belongs to no pair (keys, the parts that certbot writes beside them) is left out.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static IEnumerable<CertificateFiles> Pairs(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            if (!Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                continue;
            var key = Path.ChangeExtension(file, ".key");
            yield return new CertificateFiles { Certificate = file, Key = File.Exists(key) ? key : null };
        }

        foreach (var child in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            var (certificate, key) = (Path.Combine(child, "fullchain.pem"), Path.Combine(child, "privkey.pem"));
            if (File.Exists(certificate))
                yield return new CertificateFiles { Certificate = certificate, Key = key };
        }
    }
}
