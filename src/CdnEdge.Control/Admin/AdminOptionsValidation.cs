using CdnEdge.Caching;

namespace CdnEdge.Control;

/// <summary>Finds every mistake in the options of the admin API, each with its configuration path. The address is the host's to check.</summary>
internal static class AdminOptionsValidation
{
    /// <param name="path">Where the options stand: <c>CdnEdge:Admin</c>.</param>
    /// <param name="options">The options.</param>
    internal static IEnumerable<string> Errors(string path, AdminOptions options)
    {
        if (options.RequestsPerSecond is < 1 or > 1_000_000)
            yield return $"{path}:RequestsPerSecond: {options.RequestsPerSecond} is not a rate; 1 to 1000000";
        if (options.AuditFile is { } file && (file.Length == 0 || Directory.Exists(file)))
            yield return $"{path}:AuditFile: '{file}' is not a file; write a path such as /var/log/cdnedge/audit.jsonl, or leave it out";

        var hashes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, token) in options.Tokens)
        {
            var at = $"{path}:Tokens:{name}";
            if (!Token.IsToken(name))
                yield return $"{at}: a name is letters, digits and any of -._~";
            if (token.Hash.Length == 0)
                yield return $"{at}:Hash: missing; 'cdnedge token new --name {name}' makes a token and prints its hash";
            else if (!AdminToken.TryReadHash(token.Hash, out _))
                yield return $"{at}:Hash: not sha256: and 64 hexadecimal digits; 'cdnedge token new --name {name}' prints one (the token itself doesn't belong here)";
            else if (!hashes.TryAdd(token.Hash, name))
                yield return $"{at}:Hash: the token of '{hashes[token.Hash]}' too; make one for each, so that the audit log can tell them apart";
            if (token.Scopes.Count == 0)
                yield return $"{at}:Scopes: none, so it may do nothing; any of read, purge, operate";
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, certificate) in options.Certificates)
        {
            var at = $"{path}:Certificates:{name}";
            if (!Token.IsToken(name))
                yield return $"{at}: a name is letters, digits and any of -._~";
            else if (options.Tokens.ContainsKey(name))
                yield return $"{at}: a token has that name too; the audit log couldn't tell them apart";
            if (certificate.CommonName.Length == 0)
                yield return $"{at}:CommonName: missing; the CN of the certificate's subject";
            else if (!names.TryAdd(certificate.CommonName, name))
                yield return $"{at}:CommonName: '{certificate.CommonName}' is that of '{names[certificate.CommonName]}' too";
            if (certificate.Scopes.Count == 0)
                yield return $"{at}:Scopes: none, so it may do nothing; any of read, purge, operate";
        }

        if (options.Certificates.Count > 0 && options.Tls.ClientCa is null)
            yield return $"{path}:Tls:ClientCa: missing; {path}:Certificates says who may call, but not whose certificates are believed";
    }
}
