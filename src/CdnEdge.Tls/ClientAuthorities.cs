using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Tls;

/// <summary>The authorities whose word on clients is believed: theirs, and nobody else's.</summary>
internal sealed class ClientAuthorities : IEquatable<ClientAuthorities>
{
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2Collection _authorities;

    /// <inheritdoc cref="PemFiles.ReadAuthorities"/>
    internal ClientAuthorities(string file) => _authorities = PemFiles.ReadAuthorities(file);

    /// <summary>What is wrong with a file of authorities; null: nothing.</summary>
    internal static string? MistakeIn(string file)
    {
        try
        {
            PemFiles.ReadAuthorities(file);
            return null;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            return $"can't be used: {e.Message}";
        }
    }

    /// <summary>The same certificates, whichever file they are from.</summary>
    public bool Equals(ClientAuthorities? other) => other is not null && Thumbprints(_authorities).SetEquals(Thumbprints(other._authorities));

    public override bool Equals(object? obj) => Equals(obj as ClientAuthorities);

    public override int GetHashCode() => _authorities.Count;

    /// <summary>Whether one of them issued this certificate, for the authentication of clients, and it's valid now.</summary>
    /// <param name="certificate">The client's.</param>
    /// <param name="sent">The chain that came with it.</param>
    internal bool Vouch(X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(ClientAuthentication);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(certificate);
    }

    private static HashSet<string> Thumbprints(X509Certificate2Collection certificates) =>
        [.. certificates.Select(static certificate => certificate.GetCertHashString(HashAlgorithmName.SHA256))];
}
