using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>Who calls the admin API.</summary>
/// <param name="Name">The token's or certificate's name; <c>local</c> where none is configured.</param>
/// <param name="Scopes">What it may do.</param>
internal sealed record AdminCaller(string Name, FrozenSet<AdminScope> Scopes)
{
    /// <summary>Somebody on this machine, where neither token nor certificate is configured.</summary>
    internal static AdminCaller Local { get; } = new("local", Enum.GetValues<AdminScope>().ToFrozenSet());

    internal static AdminCaller? Of(HttpContext context) => context.Features.Get<AdminCaller>();
}

/// <summary>The callers that the configuration knows.</summary>
internal sealed class AdminCallers
{
    private const string CommonName = "2.5.4.3";

    private readonly (byte[] Digest, AdminCaller Caller)[] _known;
    private readonly Dictionary<string, AdminCaller> _certified;

    internal AdminCallers(AdminOptions options)
    {
        IsOpen = !options.HasCallers;
        _known =
        [
            .. options.Tokens.Select(static token => AdminToken.TryReadHash(token.Value.Hash, out var digest)
                ? (digest, new AdminCaller(token.Key, token.Value.Scopes.ToFrozenSet()))
                : throw new ArgumentException($"The token '{token.Key}' has no hash.", nameof(options))),
        ];
        _certified = options.Certificates.ToDictionary(
            static certificate => certificate.Value.CommonName,
            static certificate => new AdminCaller(certificate.Key, certificate.Value.Scopes.ToFrozenSet()),
            StringComparer.Ordinal);
    }

    /// <summary>Nobody in particular is configured.</summary>
    internal bool IsOpen { get; }

    /// <summary>The caller with this certificate, which the handshake has found to be from the configured authority; null if it's nobody's.</summary>
    internal AdminCaller? Find(X509Certificate2 certificate) =>
        CommonNameOf(certificate) is { } name ? _certified.GetValueOrDefault(name) : null;

    // Exactly one: of two nobody knows which the authority meant.
    private static string? CommonNameOf(X509Certificate2 certificate)
    {
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(static part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
            .Select(static part => part.GetSingleElementValue())
            .ToArray();
        return names is [{ } name] ? name : null;
    }

    /// <summary>The caller whose token it is; null if it's nobody's. Takes as long for a wrong token as for a right one.</summary>
    internal AdminCaller? Find(string token)
    {
        var digest = AdminToken.Digest(token);
        AdminCaller? found = null;
        foreach (var (known, caller) in _known)
        {
            if (CryptographicOperations.FixedTimeEquals(known, digest))
                found = caller;
        }

        return found;
    }
}
